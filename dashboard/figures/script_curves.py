"""The curve of a run and that of its script, one over the other, and below them how far they are apart."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures import theme
from dashboard.text import _

MAX_POINTS = 3_000
"""Of one curve: a longer one is drawn as every so manieth step."""
HEIGHT, HEIGHT_OF_TWO = 320, 460


def script_curves(run: np.ndarray, script: np.ndarray, *, unit: str, dark: bool) -> go.Figure:
    """Losses (steps,) of both; where they differ, the difference of each step on a logarithmic axis below."""
    n = min(len(run), len(script))
    with np.errstate(invalid="ignore"):
        off = np.abs(run[:n] - script[:n])
    off = np.where(np.isfinite(off), off, 0.0)
    is_apart = bool((off > 0).any())
    rows = 2 if is_apart else 1
    heights = {"row_heights": [0.65, 0.35]} if is_apart else {}
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.08, **heights)
    first, second = theme.categorical(dark)[:2]
    wide, narrow = {"color": first, "width": 6}, {"color": second, "width": 1.5}
    for name, losses, line, opacity in ((_("run"), run, wide, 0.45), (_("script"), script, narrow, 1.0)):
        at = _steps(len(losses))
        trace = go.Scatter(x=at, y=losses[at - 1], name=name, mode="lines", line=line, opacity=opacity)
        figure.add_trace(trace, row=1, col=1)
    if is_apart:
        at = np.flatnonzero(off > 0) + 1
        at = at[:: max(1, len(at) // MAX_POINTS)]
        dots = {"color": theme.quiet_ink(dark), "size": 3}
        trace = go.Scatter(x=at, y=off[at - 1], name=_("difference"), mode="markers", marker=dots, showlegend=False)
        figure.add_trace(trace, row=2, col=1)
        ends = np.log10([off[off > 0].min(), off.max()])
        axis = {"type": "log", "dtick": 1, "exponentformat": "power", "range": [np.floor(ends[0]), np.ceil(ends[1])]}
        figure.update_yaxes(title=_("difference"), row=2, col=1, **axis)
    figure.update_xaxes(title=_("step"), row=rows, col=1)
    figure.update_yaxes(title=_("batch loss, {unit}").format(unit=_(unit)), row=1, col=1)
    figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT_OF_TWO if is_apart else HEIGHT,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )
    return figure


def _steps(n: int) -> np.ndarray:
    """The steps that are drawn, from 1, the last one among them."""
    at = np.arange(1, n + 1)[:: max(1, -(-n // MAX_POINTS))]
    return np.unique(np.append(at, n)) if n else at
