"""Whether two models differ by more than luck, where a plain t test does not hold: over folds, and over the same examples.

The distributions come from scipy.special, imported where it is used, as in `core.metrics.statistics`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.metrics.statistics import Estimate, Paired, mean_estimate


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two classifiers on the same examples. `difference` is the accuracy of the first minus that of the second."""

    only_first: int
    """Examples that the first one alone gets right."""
    only_second: int
    n: int
    difference: Estimate
    """With the interval of Bonett and Price."""
    p: float
    """Two-sided and exact: that the examples which decide fall so unevenly by luck."""


def folds_estimate(values: ArrayLike, ratio: float, confidence: float = 0.95) -> Estimate:
    """Mean over the folds of a cross-validation, with an interval that knows that folds share their training examples.

    Args:
        ratio: held-out examples of a fold per training example; 1 / (k - 1) for k folds.

    Source:
        Nadeau and Bengio 2003, "Inference for the generalization error", section 3.
    """
    plain = mean_estimate(values, confidence)
    if plain.n < 2:
        return plain
    half = plain.half_width * math.sqrt(1 + plain.n * ratio)
    return Estimate(plain.mean, plain.mean - half, plain.mean + half, plain.n)


def folds_comparison(a: ArrayLike, b: ArrayLike, ratio: float, confidence: float = 0.95) -> Paired:
    """`a - b` over the folds in which both are finite, by the corrected resampled t test.

    The variance of the mean is taken as (1 / k + ratio) times that of the differences: a plain paired t test finds differences
    where there are none. Where all differences are equal, the p value is that of the sign test.

    Args:
        ratio: as in `folds_estimate`.

    Source:
        Nadeau and Bengio 2003, "Inference for the generalization error", section 3.
    """
    from scipy.special import stdtr

    differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    differences = differences[np.isfinite(differences)]
    estimate, n = folds_estimate(differences, ratio, confidence), len(differences)
    if n < 2:
        return Paired(estimate, math.nan, math.nan)
    spread = float(differences.std(ddof=1))
    if np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return Paired(estimate, 2.0 ** (1 - n) if differences.any() else 1.0, spread)
    t = estimate.mean / (spread * math.sqrt(1 / n + ratio))
    return Paired(estimate, float(2 * stdtr(n - 1, -abs(t))), spread)


def mcnemar(is_right_first: ArrayLike, is_right_second: ArrayLike, confidence: float = 0.95) -> McNemar:
    """Compare two classifiers by the examples that only one of them gets right.

    The interval of the difference is that of Bonett and Price, which stays honest where few examples decide.

    Args:
        is_right_first: (N,) bool, as `is_right_second`: place i is the same example in both.

    Source:
        McNemar 1947; Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions".
    """
    from scipy.special import bdtr, ndtri

    first, second = np.asarray(is_right_first, bool), np.asarray(is_right_second, bool)
    n, only_first, only_second = len(first), int((first & ~second).sum()), int((second & ~first).sum())
    if not n:
        return McNemar(0, 0, 0, Estimate(math.nan, math.nan, math.nan, 0), math.nan)
    few, all_ = min(only_first, only_second), only_first + only_second
    p = min(1.0, 2 * float(bdtr(few, all_, 0.5))) if all_ else 1.0
    share_first, share_second = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    middle = share_first - share_second
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt((share_first + share_second - middle**2) / (n + 2))
    mean = (only_first - only_second) / n
    return McNemar(only_first, only_second, n, Estimate(mean, max(-1.0, middle - half), min(1.0, middle + half), n), p)


def examples_needed(found: McNemar, *, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Examples with which McNemar's test finds such a difference with this chance; None where there is no difference.

    Source:
        Connor 1987, "Sample size for testing differences in proportions for the paired-sample design".
    """
    from scipy.special import ndtri

    if found.n == 0 or found.only_first == found.only_second:
        return None
    parting = (found.only_first + found.only_second) / found.n
    difference = abs(found.only_first - found.only_second) / found.n
    reach = float(ndtri(1 - alpha / 2)) * math.sqrt(parting)
    reach += float(ndtri(power)) * math.sqrt(max(0.0, parting - difference**2))
    return math.ceil((reach / difference) ** 2)
