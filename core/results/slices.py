"""How good a model is on parts of a split."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Slices:
    """S parts of a split, the worst first: those that are bad even at the good end of their interval.

    A part is the examples for which `criteria[i]` (a feature, "brightness", "length" or "class") is `names[i]`. `score` (S,)
    float64 is the accuracy in [0, 1], for regression the mean absolute error in the unit of the target; `low` and `high` are
    its 95 % interval (NaN where there is none). `p` (S,) is the chance of a difference from the rest at least as large if there
    was none (Fisher's exact test; for errors of numbers Mann-Whitney), `p_holm` the same, corrected for the number of slices.
    `members[i]` (n,) int32 are the places of the examples.
    """

    split: str
    step: int
    criteria: tuple[str, ...]
    names: tuple[str, ...]
    n: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    p_holm: np.ndarray
    members: tuple[np.ndarray, ...]
    overall: float
    n_examples: int
    target_name: str = ""
    """Regression: what is predicted; "" for classes."""
    is_regression: bool = False
    left_out: tuple[str, ...] = ()
    """Features beyond the largest number that is looked at."""
