"""What can be said of a score from the examples it was counted on: 95 % intervals, and whether a part differs from the rest."""

import math

import numpy as np

from core.metrics.statistics import mean_estimate

Z = 1.959963984540054
"""Of the standard normal distribution, 2.5 % lie above this."""


def accuracy_interval(n_right: int, n: int) -> tuple[float, float]:
    """The ends of the interval of an accuracy that was counted on `n` examples: within [0, 1] also near its ends; NaN for none.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if n == 0:
        return math.nan, math.nan
    share, room = n_right / n, Z * Z / n
    middle = (share + room / 2) / (1 + room)
    half = Z / (1 + room) * math.sqrt(share * (1 - share) / n + room / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def score_of(outcomes: np.ndarray) -> tuple[float, float, float]:
    """A score with the ends of its interval: of hits (N,) bool the accuracy, of absolute errors (N,) float64 their mean."""
    if outcomes.dtype == bool:
        n_right = int(outcomes.sum())
        return n_right / max(1, len(outcomes)), *accuracy_interval(n_right, len(outcomes))
    found = mean_estimate(outcomes)
    return found.mean, found.low, found.high


def p_of_difference(part: np.ndarray, rest: np.ndarray) -> float:
    """Chance of a difference at least as large if part and rest were alike: Fisher's exact test of hits, Mann-Whitney of
    absolute errors. NaN where one of them is empty.
    """
    if not len(part) or not len(rest):
        return math.nan
    from scipy.stats import fisher_exact, mannwhitneyu

    if part.dtype == bool:
        table = [[int(each.sum()), int((~each).sum())] for each in (part, rest)]
        return float(fisher_exact(table).pvalue)
    return float(mannwhitneyu(part, rest).pvalue)
