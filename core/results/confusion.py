"""Which classes are taken for which: at one moment, over the moments of a run, and between two models."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.results.predictions import Predictions

Normalised = Literal["counts", "true", "predicted"]
"""Counts as they are; shares of the examples of a class; shares of the examples that were taken for a class."""


@dataclass(frozen=True, slots=True)
class ConfusionOverTime:
    """Confusion matrices of a split at M kept moments: `counts` (M, K, K) int64 are [moment, true class, predicted class].

    `steps` (M,) int64. The same `n_examples` of the split's `n_in_split` are counted at every moment.
    """

    split: str
    steps: np.ndarray
    counts: np.ndarray
    class_names: tuple[str, ...]
    n_examples: int
    n_in_split: int
    n_kept: int
    """Moments that the run has kept; those that were looked at are spread evenly over them."""
    n_diverged: int = 0
    """Moments that were looked at and are none of the M: the model's answers were no numbers any more."""


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Examples by [true class, predicted class], (K, K) int64."""
    both = labels * n_classes + predicted
    return np.bincount(both, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def confusion(found: Predictions) -> np.ndarray:
    """The confusion matrix of these predictions, (K, K) int64."""
    return confusion_counts(found.labels, found.predicted, len(found.class_names))


def normalised(counts: np.ndarray, by: Normalised) -> np.ndarray:
    """Counts (..., K, K) as float64 shares of their true class or of their predicted class; 0 for a class without examples."""
    if by == "counts":
        return counts.astype(np.float64)
    sums = counts.sum(axis=-1 if by == "true" else -2, keepdims=True)
    shares: np.ndarray = counts / np.maximum(1, sums)
    return shares


def never_predicted(counts: np.ndarray) -> tuple[int, ...]:
    """Classes that nothing was taken for."""
    return tuple(int(k) for k in np.flatnonzero(counts.sum(0) == 0))


def most_confused(counts: np.ndarray, n: int) -> tuple[tuple[int, int, int], ...]:
    """The `n` largest cells off the diagonal, as (true, predicted, examples); empty cells are left out."""
    errors = counts.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:n]
    cells = [divmod(int(place), len(counts)) for place in order]
    return tuple((true, predicted, int(errors[true, predicted])) for true, predicted in cells if errors[true, predicted])


def changed_cell(present: Predictions, other: Predictions, cell: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Examples that only the present model, and that only the other one puts into a cell: two sorted arrays of int64 places."""
    true, predicted = cell
    is_of_class = present.labels == true
    mine, theirs = is_of_class & (present.predicted == predicted), is_of_class & (other.predicted == predicted)
    return np.flatnonzero(mine & ~theirs), np.flatnonzero(theirs & ~mine)
