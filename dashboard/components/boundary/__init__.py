"""The plane of 2-D data: points, and under them what the network makes of every place, live."""

from collections.abc import Sequence

import numpy as np

from dashboard.components.live_curves import checked_run
from dashboard.components.shared import declare
from dashboard.text import _

_component = declare("boundary")

MAX_POINTS = 4000
SPAN = 6.0
POINTS = ("#0072b2", "#d55e00")
SURFACE = ("#4f9fd0", "#f4f4f2", "#f0965a")  # paler than the points that lie on it


def boundary(
    points: np.ndarray,
    labels: np.ndarray,
    is_validation: np.ndarray,
    run_id: str | None = None,
    *,
    key: str,
    class_names: Sequence[str] = ("0", "1"),
) -> None:
    """Show the points, and the decision surface of the run if there is one.

    Args:
        points: (N, 2), in the units of the axes, which run from -6 to 6; at most the first 4000 are drawn.
        labels: (N,) of 0 and 1.
        is_validation: (N,) of bool; training points are filled, validation points hollow.

    Raises:
        ValueError: the arrays do not fit together.
    """
    points, labels, is_validation = np.asarray(points, np.float64), np.asarray(labels), np.asarray(is_validation, bool)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != (len(points),) or is_validation.shape != labels.shape:
        raise ValueError(f"points {points.shape}, labels {labels.shape} and splits {is_validation.shape} do not fit together")
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))[:MAX_POINTS]
    data = {
        "run": checked_run(run_id),
        "x": points[shown, 0].round(3).tolist(),
        "y": points[shown, 1].round(3).tolist(),
        "label": (labels[shown] == 1).astype(int).tolist(),
        "held": is_validation[shown].astype(int).tolist(),
        "span": SPAN,
        "colours": POINTS,
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
        "class": _("class {name}"),
        "train": _("training"),
        "validation": _("validation"),
        "probability": _("probability of class {name}"),
        "read": _("x1 {x}, x2 {y}, p {p}"),
        "read_point": _("x1 {x}, x2 {y}"),
        "probe": _("Point at the plane, or use the arrow keys in it, to read values."),
        "png": _("Download PNG"),
        "csv": _("Download CSV"),
        "series": _("Series shown"),
        "step": _("step {step}"),
        "plane": _("Plane of the data; arrow keys move the reading point"),
    }
