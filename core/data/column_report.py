"""What the columns of a table are like: statistics, histograms by class, correlations, in the presence of gaps."""

import numpy as np

from core.data.fit import Categories, gaps

BINS = 30
MAX_HISTOGRAMS = 256
MAX_CORRELATED = 64
SAME = 1e-9
"""Variance of standardised values below which a column counts as constant."""


def statistics(x: np.ndarray, categories: Categories) -> np.ndarray:
    """Mean, standard deviation, least, median, largest and number of missing values of each column, (F, 6) float64.

    Rows (N, F). NaN where a column has no value; a column of categories has only the number of its gaps.
    """
    is_gap = gaps(x, categories)
    n = (~is_gap).sum(axis=0)
    ordered = np.sort(np.where(is_gap, np.nan, x).astype(np.float64), axis=0)  # gaps come last
    filled = np.where(np.isnan(ordered), 0.0, ordered)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0) / n
        deviation = np.sqrt((np.where(np.isnan(ordered), 0.0, ordered - mean) ** 2).sum(axis=0) / n)

    def ranked(rank: np.ndarray) -> np.ndarray:
        picked: np.ndarray = np.take_along_axis(ordered, np.maximum(rank, 0)[None], axis=0)[0]
        return picked

    median = (ranked((n - 1) // 2) + ranked(n // 2)) / 2
    found = np.stack([mean, deviation, ranked(np.zeros_like(n)), median, ranked(n - 1), len(x) - n], axis=1)
    found[[bool(names) for names in categories], :5] = np.nan
    return found


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Edges (BINS + 1,) float64 of equal bins over finite values (N,), which may all be the same; NaN for none."""
    if not len(values):
        return np.full(BINS + 1, np.nan)
    low, high = float(values.min()), float(values.max())
    half = 0.5 if low == high else 0.0
    return np.linspace(low - half, high + half, BINS + 1)


def binned(values: np.ndarray, edges: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """How many finite values (N,) of each group lie in each bin, (n_groups, BINS) int64; the last bin has its upper edge."""
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    return np.bincount(group * BINS + place, minlength=n_groups * BINS).reshape(n_groups, BINS)


def histograms(x: np.ndarray, categories: Categories, group: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges (F, BINS + 1) and counts (n_groups, F, BINS) of the columns of numbers of rows (N, F), whose groups are (N,)."""
    n_columns = min(x.shape[1], MAX_HISTOGRAMS)
    edges = np.full((n_columns, BINS + 1), np.nan)
    counts = np.zeros((n_groups, n_columns, BINS), np.int64)
    for i in range(n_columns):
        is_value = np.isfinite(x[:, i])
        if (i < len(categories) and categories[i]) or not is_value.any():
            continue
        values = x[is_value, i].astype(np.float64)
        edges[i] = bin_edges(values)
        counts[:, i] = binned(values, edges[i], group[is_value], n_groups)
    return edges, counts


def category_counts(x: np.ndarray, categories: Categories, group: np.ndarray, n_groups: int) -> tuple[np.ndarray, ...]:
    """How often each group has each category, (n_groups, number of categories) int64 for each column."""
    is_known = ~gaps(x, categories)
    counts = []
    for i, names in enumerate(categories):
        known = is_known[:, i] if names else np.zeros(len(x), bool)
        place = group[known] * len(names) + x[known, i].astype(np.int64)
        counts.append(np.bincount(place, minlength=n_groups * len(names)).reshape(n_groups, len(names)).astype(np.int64))
    return tuple(counts)


def correlation(x: np.ndarray, categories: Categories) -> np.ndarray:
    """Pearson's correlation of each pair of columns over the rows (N, F) that have both values, (F, F) float64.

    NaN for columns that are constant there, and for more than two categories, whose order means nothing.
    """
    x, categories = x[:, :MAX_CORRELATED], categories[:MAX_CORRELATED]
    has = ~gaps(x, categories)
    has[:, [i for i, names in enumerate(categories) if len(names) > 2]] = False
    found = statistics(x, ())
    spread = np.where(found[:, 1] > 0, found[:, 1], 1.0)
    z = np.where(has, (x - found[:, 0]) / spread, 0.0)  # so that sums of squares lose nothing
    weight = has.astype(np.float64)
    n = np.maximum(weight.T @ weight, 1)
    mean = z.T @ weight / n  # (F, F): of column i where column j has a value too
    variance = (z**2).T @ weight / n - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (z.T @ z / n - mean * mean.T) / np.sqrt(variance * variance.T)
    return np.where((variance > SAME) & (variance.T > SAME), np.clip(r, -1, 1), np.nan)
