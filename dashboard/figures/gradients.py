"""How much learning signal reaches each layer, and how far each layer moves in a step, over the kept moments of a run."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.results.weight_statistics import WeightStatistics
from dashboard.figures import theme
from dashboard.figures.shared_plane import lane_style
from dashboard.figures.weight_histograms import mark_moment, moments_axis
from dashboard.text import _

RULE_OF_THUMB = 1e-3
"""Update in shares of the weights that is often quoted as healthy (Karpathy, CS231n notes on babysitting training)."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What is drawn: a line per layer of `values` (L, K)."""

    values: np.ndarray
    title: str
    axis: str


def gradient_figure(found: WeightStatistics, *, step: int, dark: bool = False) -> go.Figure:
    """Gradient norm per layer."""
    axis = _("gradient norm (L2, {unit} per unit of weight)").format(unit=_(found.unit))
    return _figure(found, Lines(found.gradient_norms, _("Gradient norm of each layer"), axis), step, dark)


def ratio_figure(found: WeightStatistics, *, step: int, dark: bool = False) -> go.Figure:
    """Size of the optimizer's next update in shares of the size of the weights, with the rule of thumb."""
    lines = Lines(found.ratios, _("Update in shares of the weights, each layer"), _("|update| / |weights| in one step"))
    figure = _figure(found, lines, step, dark)
    figure.add_scatter(
        x=[-0.5, len(found.steps) - 0.5],
        y=[RULE_OF_THUMB, RULE_OF_THUMB],
        mode="lines",
        line={"color": theme.quiet_ink(dark), "width": 1.5, "dash": "dash"},
        name=_("rule of thumb: 1e-3"),
        hoverinfo="skip",
    )
    return figure


def alt_text(found: WeightStatistics, *, is_ratio: bool) -> str:
    """A figure in sentences: the last moment, layer by layer."""
    values = found.ratios if is_ratio else found.gradient_norms
    known = [
        f"{name} {row[np.isfinite(row)][-1]:.2g}"
        for name, row in zip(found.layers, values, strict=True)
        if np.isfinite(row).any()
    ]
    what = _("Update in shares of the weights") if is_ratio else _("Gradient norm")
    return _("{what} of each layer over {n} kept moments; at the last one: {list}.").format(
        what=what, n=len(found.steps), list=", ".join(known)
    )


def _figure(found: WeightStatistics, lines: Lines, step: int, dark: bool) -> go.Figure:
    """A line per layer that has values, on a logarithmic axis; there is no place for a 0 on it."""
    figure = go.Figure()
    shown = [at for at, row in enumerate(lines.values) if np.isfinite(row).any()]
    for place, at in enumerate(shown):
        row = lines.values[at]
        figure.add_scatter(
            x=np.arange(len(found.steps)),
            y=np.where(row > 0, row, np.nan),
            mode="lines+markers",
            line=lane_style(place, dark=dark) | {"width": 2},
            marker={"size": 5},
            name=found.layers[at],
            customdata=found.steps,
            hovertemplate=_("step") + " %{customdata:,}<br><b>%{y:.3g}</b><extra>%{fullData.name}</extra>",
        )
    mark_moment(figure, found.steps, step, dark=dark)
    return figure.update_layout(
        template=theme.template(dark),
        height=360,
        title_text=lines.title,
        xaxis=moments_axis(found.steps),
        yaxis={"title_text": lines.axis, "type": "log", "exponentformat": "e"},
        legend={"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0},
        showlegend=True,
    )
