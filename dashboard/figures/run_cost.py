"""Big model against small: what each costs, and how good it is."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, empty_figure, plain, short
from dashboard.text import _

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
DECADES = 10
"""Costs that are further apart than this lie on a logarithmic axis."""


def cost_scatter(
    names: Sequence[str], costs: Sequence[float], scores: Sequence[float], *, what: str, score: str, dark: bool = False
) -> go.Figure:
    """One mark for each run: right is dearer, up is better. `what` and `score` name the axes, with their units."""
    known = [i for i in range(len(names)) if math.isfinite(scores[i]) and math.isfinite(costs[i])]
    if not known:
        return empty_figure(_("No run has told of its score yet: it does at the end of an epoch."), dark=dark)
    colours = theme.categorical(dark)
    figure = go.Figure()
    for i in known:
        figure.add_scatter(
            x=[costs[i]], y=[scores[i]], name=short(names[i]), mode="markers",
            marker={"size": 14, "color": colours[i % len(colours)], "symbol": SYMBOLS[i % len(SYMBOLS)]},
            hovertemplate=plain(names[i]) + "<br>%{x:,.4g}<br><b>%{y:.4g}</b><extra></extra>",
        )  # fmt: skip
    least, most = min(costs[i] for i in known), max(costs[i] for i in known)
    is_log = least > 0 and most / least > DECADES
    is_share = all(0 <= scores[i] <= 1 for i in known) and "R²" not in score  # which is no share of examples
    return figure.update_layout(
        template=theme.template(dark),
        height=340,
        margin={"t": 84},
        legend=LEGEND,
        xaxis={"title_text": what, "type": "log" if is_log else "linear"}
        | ({"dtick": "D2"} if is_log else {"rangemode": "tozero"}),
        yaxis={"title_text": score} | ({"tickformat": ".1%"} if is_share else {}),
    )


def alt_cost(names: Sequence[str], costs: Sequence[float], scores: Sequence[float], *, what: str, score: str) -> str:
    """The figure in a sentence."""
    parts = [f"{name}: {cost:,.4g}, {value:.4g}" for name, cost, value in zip(names, costs, scores, strict=True)]
    return _("{score} against {what}. {parts}.").format(score=score, what=what, parts="; ".join(parts))
