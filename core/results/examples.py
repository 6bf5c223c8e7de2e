"""Some examples of a data set, to look at and to choose from."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ExampleGallery:
    """The first examples of one split, classes in turn.

    `values` (N, *shape) float32 as the model receives them; images also as `pixels` (N, H, W) or (N, H, W, 3) uint8;
    `labels` (N,) int64; `indices` (N,) int64 are positions in the split; `raw` (N, F) are tabular values before scaling.
    """

    split: str
    values: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    pixels: np.ndarray | None = None
    raw: np.ndarray | None = None
