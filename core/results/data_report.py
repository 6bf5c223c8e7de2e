"""What there is to know of a data set before anything is trained on it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DataReport:
    """Counts and statistics of a data set as it comes, before any preparation. None where they make no sense for such data.

    Split axes are train, validation, test. Statistics and histograms are of the training split, values in original units.
    K classes count as one (R = 1) for regression, and where there are more than 64 of them.
    """

    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    split_sizes: np.ndarray
    """(3,) int64."""
    target_name: str = ""
    """Regression: what is predicted."""
    class_counts: np.ndarray | None = None
    """(3, K) int64; None for regression."""
    target_edges: np.ndarray | None = None
    """(B + 1,) float64, regression."""
    target_counts: np.ndarray | None = None
    """(3, B) int64, regression."""
    statistics: np.ndarray | None = None
    """(F, 6) float64, points and tables: mean, standard deviation, least, median, largest, number of missing values.
    NaN where there is no value, or no order: columns of categories have only their number of missing values."""
    histogram_edges: np.ndarray | None = None
    """(F', B + 1) float64, the first columns only, at most 256; NaN for columns of categories."""
    histogram_counts: np.ndarray | None = None
    """(R, F', B) int64: by class; 0 for columns of categories."""
    categories: tuple[tuple[str, ...], ...] = ()
    """The categories of each column, () for a column of numbers; () altogether where no column has categories."""
    category_counts: tuple[np.ndarray, ...] = ()
    """(R, number of categories) int64 for each column: by class."""
    correlation: np.ndarray | None = None
    """(F'', F'') float64 in [-1, 1], Pearson, over the rows that have both values; NaN for constant columns and for categories
    of which there are more than two. The first columns only, at most 64."""
    image_mean: np.ndarray | None = None
    """(C, H, W) float64, 0 to 255."""
    class_means: np.ndarray | None = None
    """(R, C, H, W) float64, 0 to 255; NaN for a class without examples."""
    pixel_counts: np.ndarray | None = None
    """(C, B) int64: pixels by value, equal bins from 0 to the brightest, at most 64."""
    lengths: np.ndarray | None = None
    """(L + 1,) int64: how many training sequences have 0, 1, ... L tokens."""
    tokens: tuple[str, ...] = ()
    """The most frequent tokens, at most 30."""
    token_counts: np.ndarray | None = None
    """(len(tokens), R) int64: by class."""
    duplicates: np.ndarray | None = None
    """(D, 4) int64: equal examples as (split, index, split, index), the first and a later one; splits by number, those in two
    splits first, at most 200."""
    n_duplicates: int = 0
    """Examples that are equal to an earlier one of their own split."""
    n_leaks: int = 0
    """Examples of validation and test that are also in the training split, or of test that are in validation."""
    n_conflicts: int = 0
    """Examples that have an equal one with a different class."""
    explained_variance: np.ndarray | None = None
    """(k,) float64: share of variance of each principal component, where the preparation has a PCA."""
