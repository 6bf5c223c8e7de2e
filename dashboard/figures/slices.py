"""Scores of slices with their intervals, the worst on top."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.results.slices import Slices
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _

SMALL = 30
"""Examples below which a slice is marked as small."""


def slices_figure(found: Slices, places: list[int], *, dark: bool = False) -> go.Figure:
    """A dot with its interval for each of the slices at these places; a line where the whole split is."""
    blue = theme.categorical(dark)[0]
    is_small = found.n[places] < SMALL
    score, low, high = found.score[places], found.low[places], found.high[places]
    rows = list(range(len(places)))
    figure = go.Figure(
        go.Scatter(
            x=score,
            y=rows,
            mode="markers",
            marker={
                "color": blue,
                "size": 9,
                "symbol": ["circle-open" if small else "circle" for small in is_small],
                "line": {"width": 2, "color": blue},
            },
            error_x={
                "array": np.nan_to_num(high - score),
                "arrayminus": np.nan_to_num(score - low),
                "color": blue,
                "thickness": 1.6,
                "width": 3,
            },
            customdata=found.n[places],
            hovertemplate="%{y}<br><b>%{x:.4g}</b>, %{customdata:,} " + _("examples") + "<extra></extra>",
            name=_("slices"),
        )
    )
    figure.add_vline(x=found.overall, line={"color": theme.quiet_ink(dark), "dash": "dash", "width": 1.5})
    labels = [f"{plain(found.criteria[i])}: {plain(found.names[i])} ({found.n[i]:,})" for i in places]
    return figure.update_layout(
        template=theme.template(dark),
        height=110 + 24 * len(places),
        showlegend=False,
        xaxis={"title_text": axis(found), "title_standoff": 8} | ({} if found.is_regression else _shares(low)),
        yaxis={
            "title_text": _("slice (examples)"),
            "tickvals": rows,
            "ticktext": labels,
            "range": [len(places) - 0.5, -0.5],
            "zeroline": False,
        },
    )


def axis(found: Slices) -> str:
    """What the score is, with its unit."""
    if not found.is_regression:
        return _("accuracy, with its 95 % interval")
    words = _("mean absolute error, with its 95 % interval")
    return f"{words}<br>({plain(found.target_name or _('target'))})"


def _shares(low: np.ndarray) -> dict[str, Any]:
    """The axis of an accuracy: from below the lowest end of an interval to 1, so that slices differ."""
    least = float(np.nanmin(low, initial=1.0))
    return {"tickformat": ".0%", "range": [max(-0.02, np.floor(least * 10) / 10 - 0.02), 1.02]}


def alt_slices(found: Slices, places: list[int]) -> str:
    """The figure in a sentence."""
    if not places:
        return _("No slices.")
    first = places[0]
    return _(
        "{n} slices. First {criterion}: {name}, {score:.3g} ({low:.3g} to {high:.3g}); the whole split {overall:.3g}."
    ).format(
        n=len(places),
        criterion=found.criteria[first],
        name=found.names[first],
        score=float(found.score[first]),
        low=float(found.low[first]),
        high=float(found.high[first]),
        overall=found.overall,
    )
