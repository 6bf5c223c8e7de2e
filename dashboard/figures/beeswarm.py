"""The contribution of every column to every example, one dot each, coloured by the value that the example has there."""

import numpy as np
import plotly.graph_objects as go

from core.results.global_view import GlobalView
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _

MOST = 12
"""Columns, those with the largest mean contribution."""
BINS = 80
"""Dots that fall into one bin of the width are set beside each other."""
REACH = 0.4
"""How far a swarm may reach up and down, in rows."""


def beeswarm_figure(view: GlobalView, *, marked: int | None = None, dark: bool = False) -> go.Figure:
    """A row of dots per column, the most important on top. Each column has its own colour scale, from its 5th to its 95th
    percentile. A ring marks the dots of the example with index `marked`. Each dot's customdata begins with its index."""
    order = np.argsort(-view.mean_sizes, kind="stable")[:MOST]
    x, y, shades, words = [], [], [], []
    limits = float(view.contributions[:, order].min()), float(view.contributions[:, order].max())
    for row, column in enumerate(order):
        x.append(view.contributions[:, column])
        y.append(row + swarm(view.contributions[:, column], limits))
        shades.append(shade(view.values[:, column], view.categories[column]))
        words += [[int(view.indices[i]), _text(view, i, int(column))] for i in range(len(view.indices))]
    figure = go.Figure(
        go.Scatter(
            x=np.concatenate(x),
            y=np.concatenate(y),
            mode="markers",
            marker={
                "size": 6,
                "color": np.concatenate(shades),
                "cmin": 0,
                "cmax": 1,
                "colorscale": theme.sequential(),
                "line": {"width": 0.5, "color": theme.quiet_ink(dark)},
                "colorbar": theme.colour_bar(_("value of the column"), dark)
                | {"tickvals": [0.03, 0.97], "ticktext": [_("low"), _("high")], "tickformat": None},
            },
            unselected={"marker": {"opacity": 1}},  # the ring tells which is chosen
            customdata=words,
            hovertemplate="%{customdata[1]}<br><b>%{x:+.4g}</b> " + plain(_(view.unit)) + "<extra></extra>",
            name=_("examples"),
        )
    )
    if marked is not None and marked in view.indices:
        figure.add_trace(_rings(view, order, int(np.flatnonzero(view.indices == marked)[0]), limits, dark))
    return figure.update_layout(
        template=theme.template(dark),
        height=110 + 38 * len(order),
        margin={"t": 8},
        showlegend=False,
        clickmode="event+select",
        dragmode=False,
        xaxis={
            "title_text": plain(_("contribution to {target}, {unit}").format(target=view.target_name, unit=_(view.unit))),
            "zeroline": True,
        },
        yaxis={
            "title_text": _("column"),
            "tickvals": list(range(len(order))),
            "ticktext": [short(view.columns[i]) for i in order],
            "range": [len(order) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def alt_text(view: GlobalView, top: int = 3) -> str:
    """The figure in a sentence: which columns matter most, and in which direction."""
    parts = []
    for column in np.argsort(-view.mean_sizes, kind="stable")[:top]:
        r = _correlation(view.values[:, column], view.contributions[:, column])
        speaks = _("high values speak for it") if r > 0.3 else _("high values speak against it") if r < -0.3 else _("mixed")
        parts.append(f"{view.columns[column]} ({speaks})")
    return _("SHAP values of {n} examples for “{target}”. Most important: {columns}.").format(
        n=len(view.indices), target=view.target_name, columns=", ".join(parts)
    )


def swarm(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """How far each dot stands off its row's line, (N,): the more dots there are beside it, the further out the last one."""
    low, high = limits
    bins = np.floor((values - low) / max(high - low, 1e-12) * BINS).astype(int)
    order = np.lexsort((values, bins))
    starts = np.searchsorted(bins[order], bins[order])
    rank = np.arange(len(values)) - starts  # within the bin
    side = np.where(rank % 2 == 0, 1, -1) * ((rank + 1) // 2)
    step = min(0.09, REACH / max(1, int(np.abs(side).max(initial=0))))
    offsets = np.empty(len(values))
    offsets[order] = side * step
    return offsets


def shade(values: np.ndarray, categories: tuple[str, ...]) -> np.ndarray:
    """The values on their own scale, (N,) in [0, 1]; 0.5 for a column that does not change."""
    low, high = (0.0, float(len(categories) - 1)) if categories else np.percentile(values, [5, 95])
    if not high > low:
        low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.full(len(values), 0.5)
    return np.clip((values - low) / (high - low), 0, 1)


def value_text(value: float, categories: tuple[str, ...]) -> str:
    """A value of a column, by its name where it is a category."""
    return plain(categories[int(value)]) if categories and 0 <= int(value) < len(categories) else f"{value:.4g}"


def _text(view: GlobalView, i: int, column: int) -> str:
    label = int(view.labels[i])
    of = f", {plain(view.class_names[label])}" if 0 <= label < len(view.class_names) else ""
    value = value_text(float(view.values[i, column]), view.categories[column])
    number = _("example {i}").format(i=int(view.indices[i]))
    return f"{plain(view.columns[column])} = {value}<br>{number}{of}"


def _rings(view: GlobalView, order: np.ndarray, i: int, limits: tuple[float, float], dark: bool) -> go.Scatter:
    """The dots of one example, with a ring around each."""
    y = [row + swarm(view.contributions[:, column], limits)[i] for row, column in enumerate(order)]
    return go.Scatter(
        x=view.contributions[i, order],
        y=y,
        mode="markers",
        marker={"size": 13, "symbol": "circle-open", "color": theme.categorical(dark)[1], "line": {"width": 2.5}},
        hoverinfo="skip",
        name=_("the example that is looked at"),
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
