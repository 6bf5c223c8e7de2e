"""A figure as a room can read it: larger and clearer letters, larger marks, thicker lines, and more height for them."""

from typing import Any

import plotly.graph_objects as go

from dashboard.figures.theme import ink, quiet_ink

SCALE = 1.6
TALLER = 1.3
MARGINS = ("l", "r", "t", "b")
CLEARER = {quiet_ink(dark): ink(dark) for dark in (False, True)}
"""Letters that are quiet near by can not be read from far away."""


def enlarged(figure: go.Figure, scale: float = SCALE) -> go.Figure:
    """A copy with all that is drawn in pixels larger; the data are the same."""
    drawn = figure.to_dict()
    drawn["data"] = [_grown(trace, "", scale) for trace in drawn["data"]]
    layout = _grown(drawn["layout"], "", scale)
    if isinstance(layout.get("height"), int | float):
        layout["height"] *= TALLER
    layout["margin"] = {name: size * scale for name, size in layout.get("margin", {}).items() if name in MARGINS}
    drawn["layout"] = layout
    return go.Figure(drawn)


def _grown(part: Any, name: str, scale: float) -> Any:
    """The part of a figure under this name, with its sizes grown."""
    if isinstance(part, list | tuple):
        return [_grown(one, name, scale) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: _size(name, key, value, scale) for key, value in part.items()}


def _size(parent: str, name: str, value: Any, scale: float) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_size = (
        (name == "size" and (parent.lower().endswith("font") or parent == "marker"))
        or (name == "width" and parent == "line")
        or (name in ("thickness", "standoff") and parent in ("colorbar", "title"))
    )
    if name == "color" and isinstance(value, str):
        return CLEARER.get(value, value)
    return value * scale if is_number and is_size else _grown(value, name, scale)
