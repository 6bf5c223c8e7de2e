"""The plane as a pad: put points of two classes on it, move them, take them away."""

from collections.abc import Callable

from dashboard.components.shared import acknowledge, acknowledged, declare, payload
from dashboard.text import _

_component = declare("point_pad")

Point = tuple[int, int, int]
"""x and y in hundredths, and the class."""
COLOURS = ("#0072b2", "#d55e00")
MAX_POINTS = 400
EDGE = 600


def point_pad(points: tuple[Point, ...], *, key: str, class_names: tuple[str, str], on_edit: Callable[..., None]) -> None:
    """Show the pad with its points.

    Args:
        points: within -600 to 600, in hundredths; class 0 or 1.
        on_edit: gets the changed points, before the page runs again.
    """

    def edited() -> None:
        sent = payload(key, "edit")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        changed = points_sent(sent.get("points"))
        if changed is not None:
            on_edit(changed)

    data = {
        "points": [list(point) for point in points],
        "classes": list(class_names),
        "colours": COLOURS,
        "edge": EDGE,
        "max": MAX_POINTS,
        "ack": acknowledged(key),
        "texts": _texts(),
    }
    _component(key=key, data=data, on_edit_change=edited)


def points_sent(sent: object) -> tuple[Point, ...] | None:
    """What the browser sent as points, clamped to the plane; None when it is no such thing."""
    if not isinstance(sent, list) or len(sent) > MAX_POINTS:
        return None
    points = []
    for item in sent:
        if not isinstance(item, list) or len(item) != 3:
            return None
        if any(isinstance(part, bool) or not isinstance(part, int | float) or part != part for part in item):
            return None
        x, y = (round(min(EDGE, max(-EDGE, part))) for part in item[:2])
        points.append((x, y, 1 if item[2] == 1 else 0))
    return tuple(points)


def _texts() -> dict[str, str]:
    return {
        "pad": _(
            "Plane with {n} points. Arrow keys move the cursor, Enter adds a point, Delete removes the nearest, "
            "1 and 2 choose the class"
        ),
        "hint": _("Click to add a point, drag to spray many. Drag a point to move it, double-click it to remove it."),
        "classes": _("Class of new points"),
        "class": _("class {name}"),
        "count": _("{a} and {b} points, at most {max} together"),
        "full": _("The plane is full: at most {max} points."),
        "clear": _("Remove all"),
        "undo": _("Undo last"),
        "at": _("Cursor at {x}, {y}"),
        "x_axis": _("x1"),
        "y_axis": _("x2"),
    }
