"""The plane of 2-D data: points, and under them what the network makes of every place, live."""

from collections.abc import Sequence

import numpy as np

from dashboard.components.live_curves import checked_run
from dashboard.components.shared import declare
from dashboard.text import _

_component = declare("boundary")

MAX_POINTS = 4000
SPAN = 6.0
COLOURS = ("#0072b2", "#8f8f8f", "#d55e00")
"""Points of class 0 and class 1 at the ends; of numbers -1, 0, 1 and all between."""
SURFACE = ("#4f9fd0", "#f4f4f2", "#f0965a")  # paler than the points that lie on it


def boundary(
    points: np.ndarray,
    y: np.ndarray,
    is_validation: np.ndarray,
    run_id: str | None = None,
    *,
    key: str,
    class_names: Sequence[str] = ("class 0", "class 1"),
) -> None:
    """Show the points, and the decision surface of the run if there is one; of a race those of all lanes, side by side.

    Lanes have the colours that `live_curves` on the same page tells; those that are muted there are hidden here.

    Args:
        points: (N, 2), in the units of the axes, which run from -6 to 6; at most the first 4000 are drawn.
        y: (N,) classes 0 and 1; without class names numbers, whose colours reach from -1 to 1.
        is_validation: (N,) of bool; training points are filled, validation points hollow.
        class_names: empty for regression.

    Raises:
        ValueError: the arrays do not fit together.
    """
    points, y, is_validation = np.asarray(points, np.float64), np.asarray(y), np.asarray(is_validation, bool)
    if points.ndim != 2 or points.shape[1] != 2 or y.shape != (len(points),) or is_validation.shape != y.shape:
        raise ValueError(f"points {points.shape}, targets {y.shape} and splits {is_validation.shape} do not fit together")
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))[:MAX_POINTS]
    targets = (y[shown] == 1).astype(int) if class_names else y[shown].astype(float).round(3)
    shades = targets * 255 if class_names else np.rint((np.clip(np.nan_to_num(targets), -1, 1) + 1) / 2 * 255).astype(int)
    data = {
        "run": checked_run(run_id),
        "x": points[shown, 0].round(3).tolist(),
        "y": points[shown, 1].round(3).tolist(),
        "target": targets.tolist(),
        "shade": shades.tolist(),
        "held": is_validation[shown].astype(int).tolist(),
        "span": SPAN,
        "colours": COLOURS,
        "surface": SURFACE,
        "classes": [str(name) for name in class_names][:2],
        "texts": _texts(),
    }
    _component(key=key, data=data)


def _texts() -> dict[str, str]:
    return {
        "alt": _("Decision surface on the plane, {n} points, step {step}."),
        "alt_points": _("{n} points on the plane, before training."),
        "x_axis": _("x1"),
        "y_axis": _("x2"),
        "train": _("training"),
        "validation": _("validation"),
        "probability": _("probability of {name}"),
        "prediction": _("predicted value"),
        "read": _("x1 {x}, x2 {y}, p {p}"),
        "read_number": _("x1 {x}, x2 {y}, predicted {p}"),
        "read_point": _("x1 {x}, x2 {y}"),
        "probe": _("Point at the plane, or use the arrow keys in it, to read values."),
        "png": _("Download PNG"),
        "csv": _("Download CSV"),
        "series": _("Series shown"),
        "seed": _("Seed shown"),
        "tile_alt": _("Decision surface of {name} on the plane, {n} points, step {step}."),
        "tiles": _("Decision surfaces of all lanes; arrow keys move the reading point in all of them"),
        "probe_tiles": _("Point at a plane, or use the arrow keys, to read all lanes at one place."),
        "all_muted": _("All lanes are hidden. Show one in the legend of the curves."),
        "removed": _("removed"),
        "waiting_tile": _("no surface yet"),
        "step": _("step {step}"),
        "plane": _("Plane of the data; arrow keys move the reading point"),
    }
