"""Where two models say different things of the same examples."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Disagreement:
    """M examples of a split on which two models differ most: first those of which both are surest, or for regression those
    whose predictions lie furthest apart.

    `indices` (M,) int64 are places in the split, `labels` (M,) int64 the right classes. `first` and `second` (M,) are the
    predicted classes, or the predicted numbers in the unit of the target; `first_p` and `second_p` (M,) the probability that
    each model gives to its own prediction (NaN for regression). `n_differ` of `n_examples` have different predictions; for
    regression this is -1. Accuracies in [0, 1], for regression R².
    """

    split: str
    indices: np.ndarray
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray
    first_p: np.ndarray
    second_p: np.ndarray
    n_examples: int
    n_differ: int
    first_score: float
    second_score: float
    class_names: tuple[str, ...]
    first_step: int
    second_step: int
    target_name: str = ""
    targets: np.ndarray | None = None
    """(M,) regression: the right numbers."""
    pixels: np.ndarray | None = None
    """(M, H, W[, 3]) uint8."""
    texts: tuple[str, ...] | None = None
