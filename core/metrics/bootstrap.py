"""How much a figure would vary with other examples of the same kind: percentile intervals from resampled examples.

A resample is n examples drawn from the n with replacement, told as how often each was drawn: a figure that adds up examples
is then a product of matrices, for a thousand resamples at once.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistics = Callable[[Floats], Floats]
"""Counts (r, n) -> figures (r, m): row i is for n examples of which the j-th was drawn counts[i, j] times. NaN: undefined."""
Report = Callable[[], None]

N_RESAMPLES = 1000
CONFIDENCE = 0.95
CHUNK = 2_000_000
"""Counts that are in memory at once."""


def no_report() -> None:
    """For callers that show no progress."""


def resampled(statistics: Statistics, n: int, n_resamples: int, *, seed: int, report: Report = no_report) -> Floats:
    """Figures (n_resamples, m) of resamples of n examples. `report()` is called often.

    Equal seeds give equal resamples, a smaller number the first of them.
    """
    random = np.random.default_rng(seed)
    rows = max(1, CHUNK // max(1, n))
    parts = []
    for start in range(0, n_resamples, rows):
        report()
        parts.append(statistics(_counts(random, n, min(rows, n_resamples - start))))
    return np.concatenate(parts)


def percentile_interval(samples: Floats, confidence: float = CONFIDENCE) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Ends (m,) and (m,) of the interval of each column of `samples` (r, m), and how many of its samples are defined.

    The ends are NaN for a column with fewer than two defined samples.

    Source:
        Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    is_defined = ~np.isnan(samples)
    n_defined = is_defined.sum(0)
    found = np.full((2, samples.shape[1]), np.nan)
    whole = n_defined == len(samples)
    if len(samples) > 1 and whole.any():
        found[:, whole] = np.quantile(samples[:, whole], ends, axis=0)
    for column in np.flatnonzero(~whole & (n_defined > 1)):
        found[:, column] = np.quantile(samples[is_defined[:, column], column], ends)
    return found[0], found[1], n_defined


def _counts(random: np.random.Generator, n: int, rows: int) -> Floats:
    """How often each of n examples is drawn, (rows, n): each row sums to n."""
    drawn = random.integers(0, n, (rows, n), dtype=np.int32)
    drawn += (np.arange(rows, dtype=np.int32) * n)[:, None]  # a range of numbers for each row: one bincount for all
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
