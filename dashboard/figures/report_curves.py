"""The curves of a run as they stand in a report: losses over steps, and the figure of quality over epochs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _

MAX_POINTS = 1500
"""Of one curve: a longer one is drawn as every so manieth step."""
HEIGHT = 360
DASHES = ("solid", "dash", "dot", "dashdot")
TRAINING = len(theme.CATEGORICAL) + 2
"""Its place among colours and dashes: another colour and another dash than validation has."""


@dataclass(frozen=True, slots=True)
class ReportCurve:
    """One lane and seed. `losses` (S,) are batch losses of the steps 1 to S; all others are (E,), one for each epoch."""

    name: str
    losses: np.ndarray
    epoch_steps: np.ndarray
    train_loss: np.ndarray
    validation_loss: np.ndarray
    train_quality: np.ndarray
    validation_quality: np.ndarray


def loss_figure(curves: Sequence[ReportCurve], unit: str, *, dark: bool = False) -> go.Figure:
    """Losses over steps: of one curve the batches, training and validation; of several validation alone."""
    figure = go.Figure()
    if len(curves) == 1:
        curve = curves[0]
        at = drawn_steps(len(curve.losses))
        faint = {"color": theme.quiet_ink(dark), "width": 1}
        figure.add_scatter(x=at, y=curve.losses[at - 1], name=_("batch"), mode="lines", line=faint, opacity=0.55)
        _add(figure, curve.epoch_steps, curve.train_loss, _("training"), TRAINING, dark)
        _add(figure, curve.epoch_steps, curve.validation_loss, _("validation"), 0, dark)
    for place, curve in enumerate(curves if len(curves) > 1 else ()):
        _add(figure, curve.epoch_steps, curve.validation_loss, curve.name, place, dark)
    word = _("loss, {unit}") if len(curves) == 1 else _("validation loss, {unit}")
    return _framed(figure, word.format(unit=_(unit)), dark)


def quality_figure(curves: Sequence[ReportCurve], name: str, *, dark: bool = False) -> go.Figure:
    """Accuracy, or R², over steps: of one curve on training and validation, of several on validation alone."""
    figure = go.Figure()
    if len(curves) == 1:
        _add(figure, curves[0].epoch_steps, curves[0].train_quality, _("training"), TRAINING, dark)
        _add(figure, curves[0].epoch_steps, curves[0].validation_quality, _("validation"), 0, dark)
    for place, curve in enumerate(curves if len(curves) > 1 else ()):
        _add(figure, curve.epoch_steps, curve.validation_quality, curve.name, place, dark)
    return _framed(figure, name if len(curves) == 1 else _("validation {name}").format(name=name), dark)


def alt_curves(curves: Sequence[ReportCurve], what: str, values: Sequence[np.ndarray]) -> str:
    """First and last value of each curve in a sentence."""
    told = [
        f"{curve.name} ".lstrip() + _("from {first:.4g} to {last:.4g}").format(first=row[0], last=row[-1])
        for curve, row in zip(curves, values, strict=True)
        if len(row)
    ]
    return _("{what} over {n:,} steps: {curves}.").format(
        what=what, n=max((len(curve.losses) for curve in curves), default=0), curves="; ".join(told) or _("nothing yet")
    )


def drawn_steps(n: int) -> np.ndarray:
    """The steps that are drawn, from 1, the last one among them."""
    at = np.arange(1, n + 1)[:: max(1, -(-n // MAX_POINTS))]
    return np.unique(np.append(at, n)) if n else at


def _add(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, place: int, dark: bool) -> None:
    colours = theme.categorical(dark)
    line = {"color": colours[place % len(colours)], "width": 2.2, "dash": DASHES[place // len(colours) % len(DASHES)]}
    mode = "lines+markers" if len(x) <= 40 else "lines"
    hover = _("step") + " %{x:,}<br><b>%{y:.4g}</b><extra>%{fullData.name}</extra>"
    figure.add_scatter(x=x, y=y, name=plain(name), mode=mode, line=line, marker={"size": 5}, hovertemplate=hover)


def _framed(figure: go.Figure, y: str, dark: bool) -> go.Figure:
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        margin={"t": 40},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title_text": _("step")},
        yaxis={"title_text": y},
    )
