"""What there is to know of a data set before anything is trained on it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DataReport:
    """Counts and statistics of a data set as it comes, before any preparation. None where they make no sense for such data.

    Split axes are train, validation, test. Statistics and histograms are of the training split, values in original units.
    """

    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    split_sizes: np.ndarray
    """(3,) int64."""
    class_counts: np.ndarray | None = None
    """(3, K) int64; None for regression."""
    target_edges: np.ndarray | None = None
    """(B + 1,) float64, regression."""
    target_counts: np.ndarray | None = None
    """(3, B) int64, regression."""
    statistics: np.ndarray | None = None
    """(F, 6) float64, points and tables: mean, standard deviation, least, median, largest, number of missing values."""
    histogram_edges: np.ndarray | None = None
    """(F, B + 1) float64."""
    histogram_counts: np.ndarray | None = None
    """(max(1, K), F, B) int64: by class, in one row for regression."""
    correlation: np.ndarray | None = None
    """(F, F) float64 in [-1, 1], Pearson, pairs without a missing value; NaN for constant columns. At most 64 columns."""
    image_mean: np.ndarray | None = None
    """(C, H, W) float64, 0 to 255."""
    class_means: np.ndarray | None = None
    """(K, C, H, W) float64, 0 to 255."""
    pixel_counts: np.ndarray | None = None
    """(C, 64) int64: pixels by value, 64 equal bins from 0 to the brightest."""
    lengths: np.ndarray | None = None
    """(L + 1,) int64: how many training sequences have 0, 1, ... L tokens."""
    tokens: tuple[str, ...] = ()
    """The most frequent tokens, at most 30."""
    token_counts: np.ndarray | None = None
    """(len(tokens), max(1, K)) int64: by class."""
    duplicates: np.ndarray | None = None
    """(D, 4) int64: pairs of equal examples as (split, index, split, index), at most 200; splits by number."""
    n_duplicates: int = 0
    """Examples that are equal to an earlier one of their own split."""
    n_leaks: int = 0
    """Examples of validation and test that are also in the training split, or in the other of the two."""
    n_conflicts: int = 0
    """Equal examples with different labels."""
    explained_variance: np.ndarray | None = None
    """(k,) float64: share of variance of each principal component, where the preparation has a PCA."""
