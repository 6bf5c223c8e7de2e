"""Optimizers on a surface: contours and 3-D, paths, the vectors of a step, loss by step, and a start that can be moved."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.optim.surfaces import Point, SurfaceChoice
from core.results.surface_path import SurfacePaths
from dashboard.components.shared import PLOTLY, acknowledge, acknowledged, declare, payload
from dashboard.text import _

_component = declare("surface_race")

FAR_OUT, FAR_IN = 4.0, 1e-3
"""Half the side of the view, at most and at least, in half windows; its middle stays within FAR_OUT of them too."""
MAX_RANK = 65535


@dataclass(frozen=True, slots=True)
class Look:
    """What the user looks at: where the lanes start, and which square of the surface is in view."""

    start: Point
    centre: Point
    half: float


@dataclass(frozen=True, slots=True)
class SurfaceRelief:
    """A surface as it is drawn: heights in contours. Level k of `levels` lies at height k + 1."""

    heights: np.ndarray
    """(side, side), rows from the lowest y upwards."""
    levels: np.ndarray
    """Losses of the contours, above the least loss."""


@dataclass(frozen=True, slots=True)
class SurfaceScene:
    """What there is to draw."""

    surface: SurfaceChoice
    relief: SurfaceRelief
    """Of the square that `look` has in view."""
    paths: SurfacePaths | None
    """None where they are not known yet."""
    look: Look
    is_current: bool = True
    """Whether the paths are those of the present start and lanes; others are shown faded."""


def surface_race(
    scene: SurfaceScene,
    *,
    key: str,
    palettes: tuple[Sequence[str], Sequence[str]],
    on_look: Callable[[Look], None] | None = None,
) -> None:
    """Show a surface, and the paths of the lanes where they are known.

    Args:
        palettes: for light and for dark pages, one `#rrggbb` per lane; more lanes than colours take them in turn.
        on_look: gets a new start or view, before the page runs again.
    """
    surface, relief, paths, look = scene.surface, scene.relief, scene.paths, scene.look

    def looked() -> None:
        sent = payload(key, "look")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        found = look_sent(sent, surface)
        if found is not None and on_look is not None:
            on_look(found)

    data = {
        "surface": surface.model_dump_json(),
        "name": _(surface.label),
        "window": {"centre": surface.centre, "half": surface.half},
        "usual": surface.start,
        "minima": surface.minima,
        "start": look.start,
        "relief": _relief(relief) | {"view": {"centre": look.centre, "half": look.half}},
        "paths": None if paths is None else _paths(paths, surface),
        "is_current": scene.is_current,
        "palettes": [list(palette) for palette in palettes],
        "plotly": PLOTLY,
        "ack": acknowledged(key),
        "loss_axis": _("loss") if surface.lowest == 0 else _("loss above the least"),
        "texts": _texts(),
    }
    _component(key=key, data=data, on_look_change=looked)


def look_sent(sent: dict[str, Any], surface: SurfaceChoice) -> Look | None:
    """What the browser sent as start and view, clamped to the surface; None when it is no such thing."""
    start, centre, half = _point(sent.get("start")), _point(sent.get("centre")), _number(sent.get("half"))
    if start is None or centre is None or half is None:
        return None
    reach = surface.half
    return Look(
        start=_clamped(start, surface.centre, reach),
        centre=_clamped(centre, surface.centre, FAR_OUT * reach),
        half=min(FAR_OUT * reach, max(FAR_IN * reach, half)),
    )


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # NaN is not
    return float(value) if is_number else None  # type: ignore[arg-type]


def _point(value: object) -> Point | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = _number(value[0]), _number(value[1])
    return None if x is None or y is None else (x, y)


def _clamped(point: Point, centre: Point, reach: float) -> Point:
    x, y = (min(middle + reach, max(middle - reach, at)) for at, middle in zip(point, centre, strict=True))
    return x, y


def _relief(relief: SurfaceRelief) -> dict[str, Any]:
    """Heights as 16 bits of the highest, base64."""
    top = float(relief.heights.max())
    ranks = np.rint(np.clip(relief.heights / top, 0, 1) * MAX_RANK).astype("<u2")
    levels = [float(f"{level:.6g}") for level in relief.levels]
    return {"ranks": _text(ranks), "top": top, "side": len(relief.heights), "levels": levels}


def _paths(paths: SurfacePaths, surface: SurfaceChoice) -> dict[str, Any]:
    """Arrays as little-endian float32, base64. Losses are those above the least one, taken in float64."""
    losses = np.maximum(paths.values - surface.lowest, 0)
    arrays = {
        "positions": paths.positions,
        "losses": losses,
        "gradients": paths.gradients,
        "momenta": paths.momenta,
        "rates": paths.rates,
    }
    texts = {name: _text(array.astype("<f4")) for name, array in arrays.items()}
    return texts | {
        "id": f"{hash((texts['positions'], paths.labels, paths.notes)):x}",
        "labels": list(paths.labels),
        "notes": [_note(paths, lane) for lane in range(len(paths.labels))],
        "done": paths.n_done.tolist(),
        "n_steps": paths.n_steps,
    }


def _note(paths: SurfacePaths, lane: int) -> str:
    """What there is to say of a lane; a step that looks often is no cheap step."""
    note, looks, done = paths.notes[lane], int(paths.n_evaluations[lane]), int(paths.n_done[lane])
    often = _("{looks:,} gradients in {n:,} steps.").format(looks=looks, n=done) if looks > done + 1 else ""
    return " ".join(part for part in (_(note) if note else "", often) if part)


def _text(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _texts() -> dict[str, str]:
    return {
        "hint": _("Click on the surface or drag the start point; arrow keys move it too. Drag a frame to zoom in."),
        "waiting": _("New paths are being computed …"),
        "handle": _("Start point at x {x}, y {y}. Arrow keys move it, with Shift ten times as far; Home brings it back"),
        "handle_role": _("movable point"),
        "at": _("Start at x {x}, y {y}"),
        "x_axis": _("x (first weight)"),
        "y_axis": _("y (second weight)"),
        "step_axis": _("step"),
        "view": _("View"),
        "mode": _("Kind of view"),
        "plane": _("2-D"),
        "space": _("3-D"),
        "contours": _("Contours"),
        "minima": _("Minima (×)"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "reset": _("Reset"),
        "turn": _("Turn"),
        "playback": _("Playback"),
        "play": _("Play"),
        "pause": _("Pause"),
        "step": _("Step shown"),
        "count": _("step {step} of {n}"),
        "speed": _("Speed"),
        "per_second": _("{n} steps/s"),
        "vectors": _("Vectors"),
        "no_vectors": _("none"),
        "all_lanes": _("all lanes"),
        "arrows": _(
            "Arrows of step {k}, from where each lane stands. Thin: minus the gradient, direction and relative length. Dashed: "
            "minus the momentum, where there is one. Thick, in the lane's colour: the step itself, {scale}."
        ),
        "to_scale": _("to scale"),
        "enlarged": _("its length times {factor}"),
        "no_arrows": _("Choose an earlier step, and the vectors that make the next one are drawn."),
        "space_hint": _("Heights are spaced as the contours are. Drag to turn, scroll to come nearer."),
        "table": _("Where each lane stands"),
        "toggle": _("Show or hide {lane}"),
        "head_lane": _("Lane"),
        "head_gradient": _("|gradient|"),
        "head_momentum": _("|momentum|"),
        "head_step": _("|step|"),
        "head_rate": _("learning rate"),
        "alt": _("{surface} surface, seen as contours. Start at x {x}, y {y}."),
        "alt_step": _("Step {step} of {n}:"),
        "alt_lane": _("{lane} at x {x}, y {y}, loss {loss}."),
        "alt_left": _("{lane} left the surface after step {step}, at x {x}, y {y}."),
        "alt_values": _("{axis} against step on a log axis; lanes: {n}."),
        "no_webgl": _("This browser cannot draw in 3-D: WebGL is switched off."),
        "no_plotly": _("The 3-D view could not be loaded. Reload the page."),
    }
