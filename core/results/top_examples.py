"""The examples that activate one unit most."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class TopExamples:
    """K examples of a split, the strongest first.

    `values` (K,) float32: the unit's value, of a channel or a feature of steps the largest over all places. `indices` (K,)
    are positions in the split. `places` (K, 2) int64: row and column of the largest, or its step and -1; -1 where there is one
    place only. `fields` (K, 4) int64: first and last row, first and last column of the pixels that this place can see; -1
    where it sees all, or where the data are no images. What a person looks at is as in ExampleGallery.
    """

    split: str
    layer_name: str
    unit: int
    values: np.ndarray
    indices: np.ndarray
    places: np.ndarray
    fields: np.ndarray
    labels: np.ndarray
    """(K,) int64, -1 for regression."""
    class_names: tuple[str, ...]
    n_looked: int
    n_split: int
    active_share: float
    """Of those looked at, the share with a value above 0."""
    mean: float
    """Of the values of all that were looked at."""
    step: int
    targets: tuple[float, ...] = ()
    """Regression: in their own unit."""
    target_name: str = ""
    pixels: np.ndarray | None = None
    """(K, H, W) or (K, H, W, 3) uint8."""
    raw: np.ndarray | None = None
    """(K, F), tables, before any preparation."""
    raw_names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Texts: the word at the place, "" where the layer changes the number of steps."""
