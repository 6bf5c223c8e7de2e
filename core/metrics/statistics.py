"""What can be said of numbers from a few seeds: means with intervals, paired comparisons, and how many seeds would tell.

The distributions come from scipy.special, imported where it is used: scipy.stats is twenty times slower for single numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MAX_SEEDS = 1000
"""`n_needed` looks no further."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` values, with the ends of its interval; the ends are NaN for fewer than two values."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the length of the interval: the number behind ±."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean difference of two samples over the same seeds, its interval, and the two-sided p value of no difference."""

    difference: Estimate
    p: float
    spread: float
    """Standard deviation of the differences."""


def mean_estimate(values: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Mean of the finite values with its t interval; NaN where there are none.

    Source:
        Student 1908.
    """
    from scipy.special import stdtrit

    finite = _finite(values)
    n = len(finite)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(finite.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    half = float(stdtrit(n - 1, (1 + confidence) / 2) * finite.std(ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def paired_comparison(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Paired:
    """`a - b` over the seeds in which both are finite, by the paired t test.

    Where all differences are equal the t test has no answer; the p value is that of the exact sign test then.

    Source:
        Student 1908; for learning curves: Colas et al. 2019, "A Hitchhiker's Guide to Statistical Comparisons".
    """
    from scipy.special import stdtr

    differences = _finite(np.asarray(a, np.float64) - np.asarray(b, np.float64))
    estimate = mean_estimate(differences, confidence)
    n = len(differences)
    if n < 2:
        return Paired(estimate, math.nan, math.nan)
    spread = float(differences.std(ddof=1))
    if np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return Paired(estimate, 2.0 ** (1 - n) if differences.any() else 1.0, spread)
    t = estimate.mean / spread * math.sqrt(n)
    return Paired(estimate, float(2 * stdtr(n - 1, -abs(t))), spread)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p values corrected for their number: none of them is below alpha by luck with a chance above alpha. NaN stays NaN.

    Source:
        Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    p = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = p.copy()
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(order) - np.arange(len(order)))))
    return tuple(float(value) for value in corrected)


def n_needed(difference: float, spread: float, *, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Seeds with which a paired t test finds a true difference with this chance; None above MAX_SEEDS.

    Args:
        spread: standard deviation of the differences over seeds.

    Source:
        Cohen 1988, chapter 2: power from the non-central t distribution.
    """
    if not math.isfinite(difference) or difference == 0 or not math.isfinite(spread):
        return None
    if spread == 0:
        return 2
    low, high = 1, 2
    while _power(high, abs(difference) / spread, alpha) < power:
        low, high = high, 2 * high
        if low > MAX_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, abs(difference) / spread, alpha) >= power else (middle, high)
    return high if high <= MAX_SEEDS else None


def _power(n: int, effect: float, alpha: float) -> float:
    """Chance that a paired t test over `n` seeds finds an effect of so many standard deviations."""
    from scipy.special import nctdtr, stdtrit

    limit = stdtrit(n - 1, 1 - alpha / 2)
    return 1 - float(nctdtr(n - 1, effect * math.sqrt(n), limit))


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64).ravel()
    return array[np.isfinite(array)]
