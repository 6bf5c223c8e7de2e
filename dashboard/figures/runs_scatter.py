"""Any setting or figure against another one: one dot per run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.run_table import text_of
from dashboard.figures import theme
from dashboard.figures.parallel_coordinates import Column
from dashboard.figures.stacks import plain, short
from dashboard.text import _, counted

GL_POINTS = 2000
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
SIZE, CHOSEN_SIZE = 9, 14


@dataclass(frozen=True, slots=True)
class Dots:
    """The runs of a scatter: id, name, and what stands on each axis. `colour` is None for one colour."""

    runs: tuple[str, ...]
    names: tuple[str, ...]
    x: Column
    y: Column
    colour: Column | None = None


def scatter_figure(dots: Dots, *, log_x: bool = False, log_y: bool = False, dark: bool = False) -> go.Figure:
    """One dot per run with its name on hover; a third value as its colour, or as colour and form for texts."""
    figure = go.Figure(_traces(dots, dark))
    figure.update_layout(
        template=theme.template(dark),
        height=480,
        hovermode="closest",
        legend={"title": {"text": plain(dots.colour.name) if dots.colour else ""}},
        margin={"t": 24, "r": 16},
    )
    for axis, column, is_log in (("xaxis", dots.x, log_x), ("yaxis", dots.y, log_y)):
        kind = "category" if column.numbers is None else "log" if is_log else "linear"
        figure.update_layout({axis: {"title_text": plain(column.name), "type": kind}})
    return figure


def alt_scatter(dots: Dots) -> str:
    """The figure in a sentence."""
    n = counted("{n} run", "{n} runs", len(dots.runs))
    words = _("{n}: {y} against {x}.").format(n=n, x=dots.x.name, y=dots.y.name)
    numbers = dots.y.numbers
    if numbers is not None and len(numbers):
        low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
        words += " " + _("Lowest {low:.4g} ({first}), highest {high:.4g} ({last}).").format(
            low=numbers[low], first=dots.names[low], high=numbers[high], last=dots.names[high]
        )
    return words


def _traces(dots: Dots, dark: bool) -> list[object]:
    everything = range(len(dots.runs))
    if dots.colour is None:
        return [_trace(dots, everything, "", {"color": theme.categorical(dark)[0], "size": SIZE})]
    numbers = dots.colour.numbers
    if numbers is not None:
        shades = np.log10(numbers) if dots.colour.is_wide else numbers
        title = f"log₁₀ {plain(dots.colour.name)}" if dots.colour.is_wide else plain(dots.colour.name)
        marker = {
            "color": shades,
            "colorscale": theme.line_scale(dark),
            "colorbar": theme.colour_bar(title, dark),
            "size": SIZE,
        }
        return [_trace(dots, everything, "", marker | {"line": {"color": theme.quiet_ink(dark), "width": 0.5}})]
    return _by_text(dots, [text_of(value) for value in dots.colour.values], dark)


def _by_text(dots: Dots, texts: Sequence[str], dark: bool) -> list[object]:
    """A trace for each text, the largest ones in colour."""
    colours = theme.categorical(dark)
    names = sorted(set(texts), key=lambda name: (-texts.count(name), name))
    coloured = names if len(names) <= len(colours) else names[: len(colours) - 1]
    traces = [
        _trace(dots, _at(texts, [name]), short(name), {"color": colours[k], "symbol": SYMBOLS[k], "size": SIZE})
        for k, name in enumerate(coloured)
    ]
    others = [name for name in names if name not in coloured]
    if others:
        marker = {"color": theme.OTHERS, "symbol": "x", "size": SIZE}
        traces.append(_trace(dots, _at(texts, others), _("others"), marker))
    return traces


def _at(texts: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return [place for place, text in enumerate(texts) if text in wanted]


def _trace(dots: Dots, places: Sequence[int], name: str, marker: dict[str, object]) -> object:
    kind = go.Scattergl if len(dots.runs) > GL_POINTS else go.Scatter
    extra = "" if dots.colour is None else f"<br>{plain(dots.colour.name)}: %{{customdata[2]}}"
    colours = dots.colour.values if dots.colour else ("",) * len(dots.runs)
    return kind(
        x=_values(dots.x, places),
        y=_values(dots.y, places),
        mode="markers",
        name=name,
        marker=marker,
        customdata=[[dots.runs[k], plain(dots.names[k]), plain(text_of(colours[k]))] for k in places],
        hovertemplate="%{customdata[1]}<br>"
        + f"{plain(dots.x.name)}: %{{x}}<br>{plain(dots.y.name)}: <b>%{{y}}</b>{extra}<extra></extra>",
        showlegend=bool(name),
    )


def _values(column: Column, places: Sequence[int]) -> list[object]:
    if column.numbers is None:
        return [short(text_of(column.values[k])) for k in places]
    return [column.values[k] for k in places]
