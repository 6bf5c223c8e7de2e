"""The points of a 2-D data set, to draw before and under its decision surface."""

from functools import lru_cache

import numpy as np

from core.data.toy import Toy


@lru_cache(maxsize=32)
def plane_points(data: Toy, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training and validation points: (N, 2) float32, labels (N,), and which are held out for validation (N,) bool."""
    splits = data.splits(seed)
    points = np.concatenate([splits.train.x, splits.validation.x])
    labels = np.concatenate([splits.train.y, splits.validation.y])
    return points, labels, np.arange(len(labels)) >= len(splits.train)
