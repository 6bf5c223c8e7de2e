"""Some examples of a data set, to look at and to choose from."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ExampleGallery:
    """Some examples of one split, classes in turn; examples with a number to predict in the order of the split.

    `values` (N, *shape) are as the model receives them, float32, or int64 token numbers; `labels` (N,) int64, -1 for
    regression; `indices` (N,) int64 are positions in the split. What a person looks at is as it was before any preparation:
    `pixels` (N, H, W) or (N, H, W, 3) uint8 of images, `raw` (N, F) float32 of tables, with gaps as NaN, `texts` of sequences.
    """

    split: str
    values: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    """One per value, for points and tables."""
    pixels: np.ndarray | None = None
    raw: np.ndarray | None = None
    raw_names: tuple[str, ...] = ()
    """The column of each raw number."""
    raw_categories: tuple[tuple[str, ...], ...] = ()
    """For each column the categories in the order of their numbers, () for a column of numbers; or nothing at all."""
    texts: tuple[str, ...] | None = None
    vocabulary: tuple[str, ...] = ()
    """Sequences: the token of each number."""
    evidence: np.ndarray | None = None
    """Which part decides the class, where it is known: (N, H, W) or (N, L) bool."""
    targets: np.ndarray | None = None
    """(N,) float64, regression: in their own unit."""
    target_name: str = ""
    n_matching: int = 0
    """How many examples there are to page through: of the split, or of the one class that was asked for."""
