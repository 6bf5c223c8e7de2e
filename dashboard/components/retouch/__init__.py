"""A picture to erase patches of and to paint on; what comes of it is sent back as a picture of the same size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.components.digit_pad import picture_sent
from dashboard.components.shared import declare, payload, picture_url
from dashboard.text import _

_component = declare("retouch")


@dataclass(frozen=True, slots=True)
class Canvas:
    """`original` and `present` (H, W) or (H, W, 3) uint8; `segments` (H, W) labels of patches; `blank`, what replaces them."""

    original: np.ndarray
    present: np.ndarray
    segments: np.ndarray
    blank: Sequence[int]


def retouch(canvas: Canvas, *, key: str, on_change: Callable[[bytes | None], None]) -> None:
    """Show the picture with its tools.

    Args:
        on_change: gets the changed picture as a PNG of the same size, or None when all changes were taken back, before the
            page runs again.
    """

    def changed() -> None:
        sent = payload(key, "picture")
        if sent == "original":
            on_change(None)
        elif (picture := picture_sent(sent)) is not None:
            on_change(picture)

    blank = [int(level) for level in canvas.blank]
    data = {
        "original": picture_url(canvas.original),
        "present": picture_url(canvas.present),
        "segments": canvas.segments.ravel().tolist(),
        "height": canvas.original.shape[0],
        "width": canvas.original.shape[1],
        "blank": blank if len(blank) == 3 else blank[:1] * 3,
        "grey": canvas.original.ndim == 2,
        "texts": _texts(),
    }
    _component(key=key, data=data, on_picture_change=changed)


def _texts() -> dict[str, str]:
    return {
        "canvas": _("Picture to change. Arrow keys move the cursor, Enter erases the patch under it or paints there"),
        "tool": _("Tool"),
        "erase": _("Erase a patch"),
        "paint": _("Paint"),
        "colour": _("Colour"),
        "brush": _("Brush, pixels"),
        "undo": _("Undo"),
        "reset": _("Take all changes back"),
        "hint": _("Click a patch to erase it to the mean colour, or paint."),
        "at": _("row {row}, column {column}"),
    }
