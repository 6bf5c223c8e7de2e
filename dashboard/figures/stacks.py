"""Counts by group as bars on end, one colour for each group: rows of names, or columns over a range of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import theme
from dashboard.text import _, counted

LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1.0, "xanchor": "right", "traceorder": "normal"}
LONGEST = 28
"""Letters of a name on an axis; the hover has all of them."""


@dataclass(frozen=True, slots=True)
class Group:
    """One colour: what it stands for, and its counts (B,). The rest, where there are more groups than colours, is grey."""

    name: str
    counts: np.ndarray
    is_rest: bool = False


def class_groups(counts: np.ndarray, class_names: Sequence[str]) -> list[Group]:
    """Counts (R, B) by class as groups: all of up to six classes, or the largest five and the others together.

    One group without a name where the counts are not by class.
    """
    if len(counts) != len(class_names) or len(counts) < 2:
        return [Group("", counts.sum(axis=0))]
    n_colours = len(theme.CATEGORICAL)
    if len(counts) <= n_colours:
        return [Group(name, row) for name, row in zip(class_names, counts, strict=True)]
    largest = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: n_colours - 1]).tolist()
    rest = counts.sum(axis=0) - counts[largest].sum(axis=0)
    words = counted("{n} other class", "{n} other classes", len(counts) - len(largest))
    return [*(Group(class_names[k], counts[k]) for k in largest), Group(words, rest, is_rest=True)]


def named_bars(groups: Sequence[Group], names: Sequence[str], *, kind: str, unit: str, dark: bool) -> go.Figure:
    """One row for each name, the first on top. `kind` says what the names are, `unit` what is counted."""
    hover = "%{customdata}<br><b>%{x:,}</b> " + unit
    bars = [
        # Two names may read alike, so places are numbers and names their labels.
        {"y": list(range(len(names))), "x": group.counts, "orientation": "h", "customdata": [plain(name) for name in names]}
        for group in groups
    ]
    labels = [short(name) for name in names]
    return _stacked(groups, bars, hover, dark).update_layout(
        height=120 + 22 * len(names),
        xaxis={"title_text": unit, "rangemode": "tozero"},
        yaxis={
            "title_text": kind,
            "tickvals": list(range(len(names))),
            "ticktext": labels,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def range_bars(groups: Sequence[Group], edges: np.ndarray, *, of: str, unit: str, dark: bool) -> go.Figure:
    """One column for each range between two edges (B + 1,). `of` names what is measured, `unit` what is counted."""
    low, high = np.asarray(edges[:-1], float), np.asarray(edges[1:], float)
    hover = "%{customdata[0]:.4g} … %{customdata[1]:.4g}<br><b>%{y:,}</b> " + unit
    bars = [
        {"x": (low + high) / 2, "y": group.counts, "width": high - low, "customdata": np.stack([low, high], 1)}
        for group in groups
    ]
    return _stacked(groups, bars, hover, dark).update_layout(
        height=300,
        xaxis={"title_text": plain(of), "showgrid": False},
        yaxis={"title_text": unit, "rangemode": "tozero"},
    )


def empty_figure(words: str, *, dark: bool) -> go.Figure:
    """No bars, and a sentence that says why."""
    note = {"text": words, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    hidden = {"visible": False}
    return go.Figure().update_layout(
        template=theme.template(dark),
        height=160,
        xaxis=hidden,
        yaxis=hidden,
        annotations=[{**note, "font": {"color": theme.quiet_ink(dark)}}],
    )


def plain(name: str) -> str:
    """A name that a stranger may have written, safe from being read as markup by plotly."""
    return name.replace("&", "&amp;").replace("<", "&lt;")


def short(name: str) -> str:
    """The name as `plain`, cut where it is too long for an axis."""
    return plain(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…")


def _stacked(groups: Sequence[Group], bars: Sequence[dict[str, object]], hover: str, dark: bool) -> go.Figure:
    figure = go.Figure()
    for i, (group, bar) in enumerate(zip(groups, bars, strict=True)):
        figure.add_bar(
            **bar,
            name=plain(group.name),
            marker={"color": theme.OTHERS if group.is_rest else theme.categorical(dark)[i], "line": {"width": 0}},
            hovertemplate=hover + (", %{fullData.name}" if group.name else "") + "<extra></extra>",
        )
    return figure.update_layout(
        template=theme.template(dark), barmode="stack", bargap=0.15, showlegend=len(groups) > 1, legend=LEGEND
    )


def split_groups(counts: np.ndarray) -> list[Group]:
    """Counts (3, B) as the groups training, validation and test."""
    return [Group(name, row) for name, row in zip((_("training"), _("validation"), _("test")), counts, strict=True)]
