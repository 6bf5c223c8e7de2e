"""Many runs as lines through one axis per setting or figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.run_row import Fact
from core.run_table import text_of
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _, counted

DECADES = 2.0
"""Positive numbers that spread over more powers of ten than this are drawn on a logarithmic axis."""
LEAST_FOR_SCALE = 2
LEFT, LETTER = 72, 7
"""Pixels beside the first axis, and for each letter of its longest text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One axis: its name, and the value of each run; text, or numbers."""

    name: str
    values: tuple[Fact, ...]

    @property
    def numbers(self) -> np.ndarray | None:
        """The values, where all are numbers."""
        if all(isinstance(value, float | int) for value in self.values):
            return np.array(self.values, np.float64)
        return None

    @property
    def is_wide(self) -> bool:
        """Whether a logarithmic axis shows it better."""
        numbers = self.numbers
        if numbers is None or not len(numbers) or numbers.min() <= 0:
            return False
        return math.log10(numbers.max() / numbers.min()) > DECADES


def parallel_figure(columns: Sequence[Column], colour: Column, *, dark: bool = False) -> go.Figure:
    """One line per run through all columns, coloured by `colour`, whose values must be numbers."""
    shades = _shades(colour)
    line = {
        "color": shades,
        "colorscale": theme.line_scale(dark),
        "showscale": len(set(shades.tolist())) >= LEAST_FOR_SCALE,
        "colorbar": theme.colour_bar(f"log₁₀ {plain(colour.name)}" if colour.is_wide else plain(colour.name), dark),
    }
    trace = go.Parcoords(
        line=line,
        dimensions=[_dimension(column) for column in columns],
        labelfont={"color": theme.ink(dark), "size": 12},
        tickfont={"color": theme.quiet_ink(dark), "size": 11},
        rangefont={"color": theme.CLEAR},
        unselected={"line": {"opacity": 0.06}},
        labelangle=-12,
        labelside="top",
    )
    left = max(LEFT, LETTER * max((len(str(text)) for text in trace.dimensions[0].ticktext or ()), default=0))
    return go.Figure(trace).update_layout(
        template=theme.template(dark), height=480, margin={"t": 96, "l": left, "r": 40, "b": 24}
    )


def alt_parallel(columns: Sequence[Column], colour: Column) -> str:
    """The figure in a sentence."""
    n = counted("{n} run", "{n} runs", len(colour.values))
    return _("{n} as lines through {axes}, coloured by {colour}.").format(
        n=n, axes=", ".join(column.name for column in columns), colour=colour.name
    )


def _shades(colour: Column) -> np.ndarray:
    numbers = colour.numbers
    if numbers is None:
        return _codes(colour)[1]
    return np.log10(numbers) if colour.is_wide else numbers


def _dimension(column: Column) -> dict[str, object]:
    numbers, label = column.numbers, short(column.name)
    if numbers is None:
        names, codes = _codes(column)
        return {
            "label": label,
            "values": codes,
            "tickvals": list(range(len(names))),
            "ticktext": [short(name) for name in names],
        }
    if column.is_wide:
        low, high = math.floor(math.log10(numbers.min())), math.ceil(math.log10(numbers.max()))
        ticks = list(range(low, high + 1))
        return {
            "label": label,
            "values": np.log10(numbers),
            "range": [low, high],
            "tickvals": ticks,
            "ticktext": [f"{10.0**k:g}" for k in ticks],
        }
    found: dict[str, object] = {"label": label, "values": numbers}
    if len(set(numbers.tolist())) == 1:  # a range of no width cannot be drawn
        found |= {"range": [numbers[0] - 1, numbers[0] + 1], "tickvals": [numbers[0]], "ticktext": [f"{numbers[0]:g}"]}
    return found


def _codes(column: Column) -> tuple[list[str], np.ndarray]:
    """The different texts, and which of them each run has."""
    texts = [text_of(value) for value in column.values]
    names = sorted(set(texts))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[text] for text in texts], np.float64)
