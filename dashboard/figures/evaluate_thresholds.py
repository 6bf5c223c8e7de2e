"""What errors cost at each decision threshold."""

import numpy as np
import plotly.graph_objects as go

from core.results.decisions import Outcome
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND
from dashboard.text import _


def cost_figure(
    curve: tuple[np.ndarray, np.ndarray],
    chosen: tuple[float, float],
    cheapest: tuple[float, float],
    *,
    positive: str,
    dark: bool = False,
) -> go.Figure:
    """Mean cost over the threshold; a dot at the chosen (threshold, cost), a star at the cheapest, which may be above 1."""
    colours = theme.categorical(dark)
    hover = _("threshold") + " %{x:.3f}<br>" + _("mean cost") + " <b>%{y:.4g}</b><extra>%{fullData.name}</extra>"
    figure = go.Figure(
        go.Scatter(
            x=curve[0], y=curve[1], mode="lines", name=_("mean cost"), hovertemplate=hover,
            line={"color": colours[0], "width": 2, "shape": "hv"},
        )
    )  # fmt: skip
    at, cost = chosen
    figure.add_scatter(
        x=[at], y=[cost], mode="markers", name=_("chosen"), hovertemplate=hover, cliponaxis=False,
        marker={"size": 13, "color": colours[1], "line": {"width": 1.5, "color": theme.ink(dark)}},
    )  # fmt: skip
    at, cost = cheapest
    figure.add_scatter(
        x=[min(at, 1.0)], y=[cost], mode="markers", name=_("cheapest"), hovertemplate=hover, cliponaxis=False,
        marker={"symbol": "star", "size": 15, "color": colours[2], "line": {"width": 1, "color": theme.ink(dark)}},
    )  # fmt: skip
    return figure.update_layout(
        template=theme.template(dark),
        height=340,
        margin={"t": 36},
        legend=LEGEND,
        xaxis={"title_text": _("threshold on the probability of {name}").format(name=positive), "range": [-0.02, 1.02]},
        yaxis={"title_text": _("mean cost per example (your unit)"), "rangemode": "tozero"},
    )


def alt_costs(chosen: Outcome, cheapest: Outcome, false_positive: float, false_negative: float) -> str:
    """The chart in a sentence: both thresholds with their costs."""
    return _(
        "Mean cost per example over the threshold: {cost:.3g} at the chosen {at:.2f}, least {least:.3g} at {best}."
    ).format(
        cost=chosen.cost(false_positive, false_negative),
        at=chosen.threshold,
        least=cheapest.cost(false_positive, false_negative),
        best=threshold_text(cheapest.threshold),
    )


def threshold_text(threshold: float) -> str:
    """In two digits or three; above 1 nothing is called positive."""
    return f"{threshold:.3g}" if threshold <= 1 else _("more than 1")
