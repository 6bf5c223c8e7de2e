"""Tensors as cards of HTML: name, shape, statistics, and the values as a heat map or, where they are few, as numbers."""

import base64
import io
import math
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from core.events import TensorView
from dashboard.figures.theme import diverging

FEW = 12
"""So many values can be read as numbers."""
LONGEST_ROW = 64
WIDEST_PX, TALLEST_PX = 232, 150


def tensor_cards(tensors: Sequence[TensorView], *, dark: bool, words: dict[str, str]) -> str:
    """The cards of some tensors, in their order. Everything that comes from a run is escaped."""
    return f'<div class="lw-tensors">{"".join(_card(one, dark, words) for one in tensors)}</div>'


def _card(one: TensorView, dark: bool, words: dict[str, str]) -> str:
    values = np.frombuffer(one.values, "<f4")
    shape = " × ".join(f"{n:,}" for n in one.shape) or words["number"]
    figures = (("low", one.low), ("high", one.high), ("mean", one.mean), ("norm", one.norm))
    listed = "".join(f"<span>{escape(words[name])}</span><b>{value:.3g}</b>" for name, value in figures)
    n_all = math.prod(one.shape)
    first = words["first"].format(n=f"{len(values):,}", all=f"{n_all:,}") if len(values) < n_all else ""
    note = f'<p class="note">{escape(first)}</p>' if first else ""
    body = _numbers(values, dark) if len(values) <= FEW and len(values) == n_all else _picture(one, values, dark, words)
    return (
        f'<figure><figcaption><strong>{escape(one.name)}</strong> <span class="shape">{escape(shape)}</span></figcaption>'
        f'{body}{note}<div class="figures">{listed}</div></figure>'
    )


def _numbers(values: np.ndarray, dark: bool) -> str:
    colours = _colours(values, dark)
    cells = (
        f'<span style="background:rgb({r},{g},{b});color:{_ink_on(r, g, b)}">{value:.3g}</span>'
        for value, (r, g, b) in zip(values.tolist(), colours.tolist(), strict=True)
    )
    return f'<div class="values">{"".join(cells)}</div>'


def _picture(one: TensorView, values: np.ndarray, dark: bool, words: dict[str, str]) -> str:
    """A heat map of whole rows; one place of the tensor is one square."""
    columns = row_length(one.shape)
    rows = -(-len(values) // columns)
    padded = np.full(rows * columns, np.nan, np.float32)
    padded[: len(values)] = values
    colours = _colours(padded, dark).reshape(rows, columns, 3)
    pixels = np.concatenate([colours, np.where(np.isnan(padded), 0, 255).astype(np.uint8).reshape(rows, columns, 1)], axis=2)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG")
    side = max(2, min(18, WIDEST_PX // columns, TALLEST_PX // rows))
    alt = escape(words["alt"].format(name=one.name, low=f"{one.low:.3g}", high=f"{one.high:.3g}"), quote=True)
    source = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/png;base64,{source}" width="{side * columns}" height="{side * rows}" alt="{alt}">'


def row_length(shape: Sequence[int]) -> int:
    """How many values stand in a row of the picture: the last axis, folded where it is too long for a card."""
    last = shape[-1] if shape else 1
    if len(shape) == 1:
        return min(last, 16)
    if len(shape) > 2:  # maps of a convolution: one row of the picture is one row of a map, or one whole small filter
        last = last * shape[-2] if last * shape[-2] <= LONGEST_ROW // 2 else last
    return max(1, min(last, LONGEST_ROW))


def _colours(values: np.ndarray, dark: bool) -> np.ndarray:
    """(N, 3) uint8: from the most negative (blue) over the page's colour at zero to the most positive (red)."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    reach = np.abs(finite).max(initial=0.0) or 1.0
    stops = diverging(dark)
    places = [2 * at - 1 for at, _colour in stops]
    channels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _at, colour in stops])
    mixed = [np.interp(finite / reach, places, channels[:, channel]) for channel in range(3)]
    return np.rint(np.stack(mixed, axis=1)).astype(np.uint8)


def _ink_on(red: int, green: int, blue: int) -> str:
    """Black or white, whichever reads better on this colour."""
    return "#000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#fff"
