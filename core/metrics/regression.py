"""How good predicted numbers are: scikit-learn's figures, and the same for many resamples at once.

`targets` and `predicted` (N,) float64, in the target's own unit.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NAMES = ("mae", "rmse", "r2", "median_error", "bias")


def headline(targets: Floats, predicted: Floats) -> dict[str, float]:
    """Mean absolute error, root of the mean squared error, R², median absolute error, and mean of predicted - true.

    R² is NaN where all targets are equal, and then nothing can explain how they vary.
    """
    from sklearn.metrics import mean_absolute_error, mean_squared_error, median_absolute_error, r2_score

    return {
        "mae": float(mean_absolute_error(targets, predicted)),
        "rmse": math.sqrt(mean_squared_error(targets, predicted)),
        "r2": math.nan if np.ptp(targets) == 0 else float(r2_score(targets, predicted)),
        "median_error": float(median_absolute_error(targets, predicted)),
        "bias": float(np.mean(predicted - targets)),
    }


class NumberFigures:
    """The figures of `headline` (r, 5) from how often each example was drawn (r, N)."""

    def __init__(self, targets: Floats, predicted: Floats) -> None:
        errors = predicted - targets
        centred = targets - targets.mean()
        self._sums = np.stack([np.abs(errors), errors**2, errors, centred, centred**2], 1)
        self._order = np.argsort(np.abs(errors), kind="stable")
        self._sizes = np.abs(errors)[self._order]
        self._is_constant = np.ptp(targets) == 0

    def __call__(self, counts: Floats) -> Floats:
        n = counts.sum(1)
        absolute, squared, error, target, target_squared = (counts @ self._sums / n[:, None]).T
        spread = target_squared - target**2
        is_spread = (spread > 1e-12 * np.maximum(target_squared, np.finfo(float).tiny)) & (not self._is_constant)
        r2 = 1 - np.divide(squared, spread, out=np.full(len(n), np.nan), where=is_spread)
        return np.column_stack([absolute, np.sqrt(squared), r2, self._medians(counts, n), error])

    def _medians(self, counts: Floats, n: Floats) -> Floats:
        """The middle of the drawn error sizes; of an even number the mean of the two in the middle."""
        upto = np.cumsum(counts[:, self._order], axis=1)
        lower = (upto < ((n + 1) // 2)[:, None]).sum(1)  # the first place at which half of the draws are reached
        upper = (upto < (n // 2 + 1)[:, None]).sum(1)
        medians: Floats = (self._sizes[lower] + self._sizes[upper]) / 2
        return medians


def histogram(residuals: Floats, n_bins: int = 30) -> tuple[Floats, NDArray[np.int64]]:
    """Edges (B + 1,) of even bins over the residuals, 0 on an edge, and counts (B,); one bin where all are equal."""
    low, high = min(0.0, float(residuals.min())), max(0.0, float(residuals.max()))
    if high - low <= 1e-12 * max(abs(low), abs(high)) or high == low:
        return np.array([-0.5, 0.5]) + low, np.array([len(residuals)])
    width = (high - low) / n_bins
    below, above = math.ceil(-low / width - 1e-9), math.ceil(high / width - 1e-9)
    edges = width * np.arange(-below, above + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts: NDArray[np.int64] = np.histogram(residuals, edges)[0].astype(np.int64)
    return edges.astype(np.float64), counts
