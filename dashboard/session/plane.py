"""The points of a 2-D data set, to draw before and under its decision surface."""

from functools import lru_cache

import numpy as np

from core.data.plane import Plane


@lru_cache(maxsize=32)
def plane_points(data: Plane, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training and validation points: where they lie (N, 2) float32, their classes or targets (N,), and which are held out for
    validation (N,) bool."""
    found = data.plane(seed)
    return found.points, found.y, found.is_validation
