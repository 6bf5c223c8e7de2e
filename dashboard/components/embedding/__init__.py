"""Examples as points that move from moment to moment: hover to see one, click or Enter to choose it for all panels."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.results.embedding import Embedding
from dashboard.components.shared import declare, payload, picture_url
from dashboard.text import _

_component = declare("embedding")

FINE = 65_535
"""Places are sent as whole numbers: shares of the extent of all moments together, far below a pixel."""
MAX_CLASSES = 36
"""Classes with a marker of their own: six colours times six shapes; the others share one."""


@dataclass(frozen=True, slots=True)
class MapView:
    """How the points are looked at.

    `moment` is which of the moments, `chosen` the place of the example that is ringed, -1 for none, `axes` what the axes are
    called, `colours` as `dashboard.figures.embedding.map_colours` gives them.
    """

    moment: int
    chosen: int
    axes: Sequence[str]
    colours: Mapping[str, Any]


def embedding_map(found: Embedding, view: MapView, *, key: str, on_pick: Callable[[int], None]) -> None:
    """Show the points at one of the moments; a change of it moves them there, a button plays all.

    Args:
        on_pick: gets the place of the newly chosen example, before the page runs again.
    """
    n = len(found.indices)

    def picked() -> None:
        place = payload(key, "pick")
        if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < n:
            on_pick(place)

    data = {
        **_points(found),
        **_said(found),
        "moment": view.moment,
        "chosen": view.chosen,
        "colours": dict(view.colours),
        "axes": list(view.axes),
        "is_linear": found.method == "pca",
        "pictures": _pictures(found.pixels),
        "texts": _texts(found),
    }
    _component(key=key, data=data, on_pick_change=picked)


def _points(found: Embedding) -> dict[str, Any]:
    """Places as 16-bit shares of one extent for all axes and moments; `id` changes with any of it."""
    positions = found.positions.astype(np.float64)
    low = positions.min((0, 1))
    extent = float((positions.max((0, 1)) - low).max()) or 1.0
    fine = np.rint((positions - low) / extent * FINE).clip(0, FINE).astype("<u2").tobytes()
    said = found.predictions.tobytes() + found.indices.tobytes() + repr((found.split, found.steps.tolist())).encode()
    return {
        "id": hashlib.sha256(fine + said).hexdigest()[:16],
        "n": len(found.indices),
        "dimensions": positions.shape[2],
        "positions": _text(fine),
        "low": [float(value) for value in low],
        "extent": extent,
        "steps": found.steps.tolist(),
        "trust": [None if np.isnan(value) else round(float(value), 4) for value in found.trustworthiness],
        "indices": found.indices.tolist(),
        "told": list(found.texts),
    }


def _said(found: Embedding) -> dict[str, Any]:
    """What is right and what the network says, at every moment."""
    if found.confidence is None:
        targets = np.zeros(0) if found.targets is None else found.targets
        numbers = {
            "targets": _text(targets.astype("<f4").tobytes()),
            "predicted": _text(found.predictions.astype("<f4").tobytes()),
        }
        return {"classes": [], "target_name": found.target_name, **numbers}
    shares = np.rint(found.confidence * 255).clip(0, 255).astype(np.uint8)
    return {
        "classes": list(found.class_names),
        "max_classes": MAX_CLASSES,
        "labels": _text(found.labels.astype("<i2").tobytes()),
        "predicted": _text(found.predictions.astype("<i2").tobytes()),
        "shares": _text(shares.tobytes()),
    }


def _pictures(pixels: np.ndarray | None) -> dict[str, Any] | None:
    """All small pictures as one, in rows."""
    if pixels is None:
        return None
    columns = max(1, round(len(pixels) ** 0.5))
    return {
        "url": _sheet(pixels.tobytes(), pixels.shape, columns),
        "columns": columns,
        "height": pixels.shape[1],
        "width": pixels.shape[2],
    }


@lru_cache(maxsize=8)
def _sheet(data: bytes, shape: tuple[int, ...], columns: int) -> str:
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    rows = -(-len(pixels) // columns)
    padded = np.zeros((rows * columns, *shape[1:]), np.uint8)
    padded[: len(pixels)] = pixels
    grid = padded.reshape(rows, columns, *shape[1:]).swapaxes(1, 2)
    return picture_url(grid.reshape(rows * shape[1], columns * shape[2], *shape[3:]))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _texts(found: Embedding) -> dict[str, str]:
    names = {"train": _("Training example {i}"), "validation": _("Validation example {i}"), "test": _("Test example {i}")}
    return {
        "alt": _("{n} examples as points, after step {step}."),
        "help": _("Arrow keys go from point to point, Enter chooses one, plus and minus zoom."),
        "example": names[found.split],
        "right": _("right: {name}"),
        "says": _("network: {name}, {p} %"),
        "says_number": _("network: {name}"),
        "wrong_mark": _("wrong"),
        "colour": _("Colour"),
        "by_class": _("class"),
        "by_right": _("right or wrong"),
        "by_confidence": _("confidence"),
        "by_target": _("right number"),
        "by_predicted": _("predicted number"),
        "by_error": _("size of the error"),
        "is_right": _("predicted rightly"),
        "is_wrong": _("predicted wrongly"),
        "hollow": _("hollow: predicted wrongly"),
        "others": _("other classes"),
        "confidence_scale": _("probability of the predicted class"),
        "play": _("Play"),
        "stop": _("Stop"),
        "scrub": _("Moment"),
        "step": _("step {step}"),
        "trust": _("trustworthiness {trust}"),
        "no_trust": _("all points are the same"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "reset": _("Whole picture"),
        "turn": _("Drag to turn."),
        "legend": _("What is shown; press to hide or show"),
        "chosen": _("chosen"),
    }
