"""What a preparation learns from the training split, as numbers: stand-ins for gaps, scales, principal components."""

from typing import Literal

import numpy as np

from core.data.dataset import Projection
from core.data.preparation import Scaling

Categories = tuple[tuple[str, ...], ...]
"""Of each column of a table, () for numbers; () altogether where no column has any."""
Imputation = Literal["mean", "median", "most_frequent"]
PCA_NUMBERS = 64_000_000
"""A PCA is fitted on so many numbers at most (256 MB), of the first training examples, which are a fair sample of all."""
CHUNK = 2_000
"""Images counted at once."""
TINY = float(np.finfo(np.float32).tiny)
"""What spreads less is constant, and its scale stays 1."""


def gaps(x: np.ndarray, categories: Categories) -> np.ndarray:
    """Where rows (N, F) have a gap, (N, F) bool: no finite number, or a category number that is not known."""
    is_gap: np.ndarray = ~np.isfinite(x)
    for i, names in enumerate(categories):
        if names:
            is_gap[:, i] |= (x[:, i] < 0) | (x[:, i] >= len(names))
    return is_gap


def stand_in(column: np.ndarray, how: Imputation) -> float:
    """What stands in for NaN in one training column (N,); of several most frequent values the smallest, of none 0."""
    values = column[~np.isnan(column)]
    if not len(values):
        return 0.0
    if how == "most_frequent":
        found, counts = np.unique(values, return_counts=True)
        return float(found[counts.argmax()])
    return float(np.mean(values) if how == "mean" else np.median(values))


def column_scaling(x: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale (F,) float64 for rows (N, F) without gaps. Constant columns keep the scale 1."""
    if scaling == "none":
        return np.zeros(x.shape[1]), np.ones(x.shape[1])
    x = x.astype(np.float64)
    if scaling == "unit":
        return np.zeros(x.shape[1]), inverse(np.abs(x).max(axis=0))
    least, spread = x.min(axis=0), np.ptp(x, axis=0)
    if scaling == "min_max":
        return least, inverse(spread)
    # The deviation of a constant column may be a rounding error above 0; its range is not.
    return x.mean(axis=0), np.where(spread > TINY, inverse(x.std(axis=0)), 1.0)


def image_scaling(x: np.ndarray, scaling: Scaling, brightest: int) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale (C, 1, 1) or (1, 1, 1) float64 for images (N, C, H, W) uint8, which `none` and `unit` never read."""
    if scaling in ("none", "unit"):
        return np.zeros((1, 1, 1)), np.full((1, 1, 1), 1 / brightest if scaling == "unit" else 1.0)
    shares = value_counts(x) / (len(x) * x[0, 0].size)
    values = np.arange(256.0)
    if scaling == "standardise":
        shift = shares @ values
        spread = np.sqrt((shares * (values - shift[:, None]) ** 2).sum(axis=1))
    else:
        shift = (shares > 0).argmax(axis=1).astype(np.float64)
        spread = 255 - (shares[:, ::-1] > 0).argmax(axis=1) - shift
    return shift[:, None, None], inverse(spread)[:, None, None]


def value_counts(x: np.ndarray) -> np.ndarray:
    """How often each channel of images (N, C, H, W) uint8 has each value, (C, 256) int64."""
    counts = np.zeros((x.shape[1], 256), np.int64)
    for start in range(0, len(x), CHUNK):
        for channel in range(x.shape[1]):
            counts[channel] += np.bincount(x[start : start + CHUNK, channel].ravel(), minlength=256)
    return counts


def inverse(spread: np.ndarray) -> np.ndarray:
    """1 / spread, or 1 where nothing spreads."""
    return 1 / np.where(spread > TINY, spread, 1.0)


def principal_components(x: np.ndarray, shift: np.ndarray, scale: np.ndarray, k: int) -> tuple[Projection, tuple[float, ...]]:
    """How an example becomes its first `k` components, and the share of the variance that each explains.

    Args:
        x: training examples (N, *shape).
        shift: broadcasts to the shape, as `scale`: the PCA is of `(x - shift) * scale`.

    Source:
        Halko, Martinsson and Tropp 2011 for wide data, where scikit-learn finds the components by random projection.
    """
    from sklearn.decomposition import PCA

    some = x[: max(k, PCA_NUMBERS // x[0].size)]
    flat_shift, flat_scale = (np.broadcast_to(each, x.shape[1:]).ravel().astype(np.float64) for each in (shift, scale))
    scaled = some.astype(np.float32).reshape(len(some), -1)
    scaled -= flat_shift.astype(np.float32)
    scaled *= flat_scale.astype(np.float32)
    mean = scaled.mean(axis=0, dtype=np.float64)
    scaled -= mean.astype(np.float32)  # scikit-learn subtracts the mean from the covariance, where float32 would lose it
    with np.errstate(invalid="ignore", divide="ignore"):
        pca = PCA(k, random_state=0).fit(scaled)
    directions = flat_scale[:, None] * pca.components_.T.astype(np.float64)
    shares = np.nan_to_num(pca.explained_variance_ratio_, nan=0.0)  # NaN where all examples are equal
    return Projection(flat_shift + mean / flat_scale, directions), tuple(float(share) for share in shares)
