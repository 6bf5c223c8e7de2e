"""A small net as neurons and lines, after TensorFlow Playground: each neuron shows what it answers over the plane."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.results.responses import NeuronResponses
from dashboard.components.boundary import COLOURS, SURFACE
from dashboard.components.shared import declare, payload
from dashboard.text import _

_component = declare("neurons")

DIGITS = 4
"""Of weights and biases that the page shows."""


def neurons(
    found: NeuronResponses,
    *,
    key: str,
    lines: tuple[str, str],
    chosen: tuple[int, int] | None = None,
    points: Sequence[np.ndarray] | None = None,
    on_choose: Callable[[int, int], None],
) -> None:
    """Show the net. A neuron that is pointed at, or has the focus, is shown large with its formula.

    Args:
        lines: colours of negative and of positive weights.
        chosen: index of a layer in the stack and number of a unit of it, which is shown large while none is pointed at.
        points: x1, x2 and shade (0 to 1) of the data, which lie on the large map; None for none.
        on_choose: gets layer and unit of a neuron that was clicked, before the page runs again.
    """

    def picked() -> None:
        place = payload(key, "pick")
        if _is_place(place, found):
            on_choose(found.places[place[0]], place[1])

    data = {
        "columns": [_column(found, at) for at in range(len(found.labels))],
        "weights": [_rounded(one) for one in found.weights],
        "chosen": _chosen(found, chosen),
        "span": found.span,
        "side": found.responses[0].shape[1] if found.responses else 0,
        "points": [np.asarray(one, float).round(3).tolist() for one in points] if points else None,
        "lines": list(lines),
        "surface": SURFACE,
        "dots": COLOURS,
        "texts": _texts(),
    }
    _component(key=key, data=data, on_pick_change=picked)


def _is_place(place: Any, found: NeuronResponses) -> bool:
    """Whether this is the number of a column (but the inputs') and of a neuron in it."""
    if not isinstance(place, list) or len(place) != 2 or not all(type(number) is int for number in place):
        return False
    column, unit = place
    return 1 <= column < len(found.labels) and 0 <= unit < len(found.biases[column - 1])


def _chosen(found: NeuronResponses, chosen: tuple[int, int] | None) -> list[int] | None:
    """Column and unit of the chosen neuron; a layer behind a Linear belongs to its column. None where there is no such one."""
    behind = [column for column, place in enumerate(found.places) if chosen is not None and 0 <= place <= chosen[0]]
    place = [behind[-1], chosen[1]] if behind and chosen is not None else None
    return place if _is_place(place, found) else None


def _column(found: NeuronResponses, at: int) -> dict[str, Any]:
    """One column: what it is, its neurons by name, their biases, and their maps as bytes with what byte 255 stands for."""
    n = found.weights[0].shape[1] if at == 0 else len(found.biases[at - 1])
    names: Sequence[str] = ()
    if at == 0:
        names = found.input_names
    elif at == len(found.labels) - 1:
        names = found.output_names
    column: dict[str, Any] = {
        "label": found.labels[at],
        "layer": found.places[at] + 1,
        "after": found.after[at],
        "n": n,
        "names": list(names) if len(names) == n else [],
        "biases": [] if at == 0 else _rounded(found.biases[at - 1]),
    }
    if found.responses:
        maps = found.responses[at]
        peaks = np.abs(np.nan_to_num(maps)).reshape(n, -1).max(1)
        column["peaks"] = _rounded(peaks)
        column["maps"] = [_bytes(one, float(peak)) for one, peak in zip(maps, peaks, strict=True)]
    return column


def _bytes(values: np.ndarray, peak: float) -> str:
    """A map (side, side): -peak as 0, 0 as 127.5, peak as 255, row by row from the bottom."""
    shares = np.nan_to_num(values) / peak if peak > 0 else np.zeros_like(values)
    return base64.b64encode(np.rint(127.5 + 127.5 * shares).astype(np.uint8).tobytes()).decode()


def _rounded(values: np.ndarray) -> list[Any]:
    """Numbers as a page needs them."""
    shown = [float(f"{value:.{DIGITS}g}") for value in np.nan_to_num(np.asarray(values, float)).ravel()]
    rounded: list[Any] = np.array(shown).reshape(np.shape(values)).tolist()
    return rounded


def _texts() -> dict[str, str]:
    return {
        "alt": _("Neurons and weights of the net. Arrow keys go from neuron to neuron, Enter chooses one."),
        "neuron": _("{label}, neuron {i} of {n}"),
        "column": _("{layer} {label}"),
        "weight": _("Weight from {from} to {to}: {value}"),
        "formula": _("{name} = {formula}"),
        "input": _("The model gets this number as it is."),
        "bias": _("bias {value}"),
        "more": _("and {n} smaller terms"),
        "negative": _("negative weight"),
        "positive": _("positive weight"),
        "width": _("thick: far from 0; the thickest is {value}"),
        "hint": _("Point at a neuron or a line, or go to the net with Tab and use the arrow keys."),
        "large": _("Response of {name} over the plane"),
        "x_axis": _("x1"),
        "y_axis": _("x2"),
        "svg": _("Download SVG"),
    }
