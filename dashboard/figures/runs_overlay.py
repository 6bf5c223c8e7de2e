"""Curves of many runs over each other: a few are told apart by colour and dash, many by the colour of their group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.results.run_curves import RunCurves
from core.run_curve import thinned
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _, counted

MOST_NAMED = 12
"""Runs that get a line in the legend; with more, their groups do."""
MOST_POINTS = 60_000
"""Of all lines together: more than a screen can show."""
LEAST_POINTS = 40
GL_POINTS = 10_000
"""From here on the browser's graphics card draws."""
CROWDED, FAINT, CLEAR_ENOUGH = 60, 0.5, 0.8
"""With more lines than this they are drawn fainter."""
DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, slots=True)
class Axes:
    """Titles with units, and which axes are logarithmic."""

    x_title: str
    y_title: str
    log_x: bool = False
    log_y: bool = False


def overlay_figure(curves: RunCurves, axes: Axes, *, dark: bool = False) -> go.Figure:
    """All curves in one frame."""
    most = max(LEAST_POINTS, MOST_POINTS // max(1, len(curves.runs)))
    lines = [_thin(x, y, most, axes.log_x) for x, y in zip(curves.x, curves.y, strict=True)]
    is_large = sum(len(x) for x, _y in lines) > GL_POINTS
    traces = _named(curves, lines, is_large, dark) if len(lines) <= MOST_NAMED else _grouped(curves, lines, dark)
    figure = go.Figure(traces)
    return figure.update_layout(
        template=theme.template(dark),
        height=440,
        hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0},
        xaxis={"title_text": axes.x_title, "type": "log" if axes.log_x else "linear"},
        yaxis={"title_text": axes.y_title, "type": "log" if axes.log_y else "linear"},
        margin={"t": 24, "r": 16},
    )


def style_of(index: int, dark: bool) -> dict[str, object]:
    """Colour and dash of one of a few runs: the same in every chart that shows them in this order."""
    colours = theme.categorical(dark)
    return {"color": colours[index % len(colours)], "dash": DASHES[index // len(colours) % len(DASHES)], "width": 2}


def alt_overlay(curves: RunCurves, axes: Axes) -> str:
    """The figure in a sentence."""
    ends = [
        (float(y[np.isfinite(y)][-1]), name) for y, name in zip(curves.y, curves.names, strict=True) if np.isfinite(y).any()
    ]
    n = counted("{n} run", "{n} runs", len(curves.runs))
    words = _("{y} of {n} by {x}.").format(y=axes.y_title, x=axes.x_title, n=n)
    if ends:
        (low, first), (high, last) = min(ends), max(ends)
        words += " " + _("At the end from {low:.4g} ({first}) to {high:.4g} ({last}).").format(
            low=low, first=first, high=high, last=last
        )
    return words


def _thin(x: np.ndarray, y: np.ndarray, most: int, is_log: bool) -> tuple[np.ndarray, np.ndarray]:
    places = thinned(len(x), most, is_log=is_log)
    return x[places], y[places].astype(np.float32)


def _named(curves: RunCurves, lines: Sequence[tuple[np.ndarray, np.ndarray]], is_large: bool, dark: bool) -> list[object]:
    """One line in the legend for each run."""
    kind = go.Scattergl if is_large else go.Scatter
    return [
        kind(
            x=x,
            y=y,
            mode="lines+markers" if len(x) < 3 else "lines",
            name=short(name),
            line=style_of(index, dark),
            hovertemplate=f"{plain(name)}<br>%{{x:.5g}}<br><b>%{{y:.4g}}</b><extra></extra>",
        )
        for index, (name, (x, y)) in enumerate(zip(curves.names, lines, strict=True))
    ]


def _grouped(curves: RunCurves, lines: Sequence[tuple[np.ndarray, np.ndarray]], dark: bool) -> list[object]:
    """One trace for all runs of a group, with gaps between them, and a dot at the end of each that says its name."""
    colours = theme.categorical(dark)
    names = _largest(curves.groups, len(colours))
    traces: list[object] = []
    for index, name in enumerate([*names, None]):
        members = [k for k, group in enumerate(curves.groups) if (group if group in names else None) == name]
        members = [k for k in members if len(lines[k][0])]
        if not members:
            continue
        colour = colours[index] if name is not None else theme.OTHERS
        shown = _label(name, len(members))
        gap = np.array([np.nan])
        x, y = (np.concatenate([part for k in members for part in (lines[k][axis], gap)]) for axis in (0, 1))
        line = {"color": colour, "width": 1}
        opacity = FAINT if len(lines) > CROWDED else CLEAR_ENOUGH
        traces.append(
            go.Scattergl(
                x=x,
                y=y.astype(np.float32),
                mode="lines",
                name=shown,
                line=line,
                opacity=opacity,
                hoverinfo="skip",
                legendgroup=shown,
                showlegend=False,
            )
        )
        traces.append(
            go.Scattergl(
                x=[float(lines[k][0][-1]) for k in members],
                y=[float(lines[k][1][-1]) for k in members],
                mode="markers",
                name=shown,  # the dots, which are not faint, stand in the legend
                marker={"color": colour, "size": 6},
                customdata=[plain(curves.names[k]) for k in members],
                hovertemplate="%{customdata}<br>%{x:.5g}<br><b>%{y:.4g}</b><extra></extra>",
                legendgroup=shown,
            )
        )
    return traces


def _largest(groups: Sequence[str], most: int) -> list[str]:
    """The groups that get a colour: all where there are enough, else the largest ones."""
    names = list(dict.fromkeys(groups))
    if len(names) <= most:
        return names
    return sorted(names, key=lambda name: -groups.count(name))[: most - 1]


def _label(name: str | None, n: int) -> str:
    runs = counted("{n} run", "{n} runs", n)
    if name is None:
        return _("others ({n})").format(n=runs)
    return f"{short(name)} ({runs})" if name else _("all ({n})").format(n=runs)
