"""The data report: everything that can be counted before anything is trained. Numpy only; 70,000 digits take seconds."""

from typing import Any

import numpy as np

from core.data import column_report
from core.data.dataset import DatasetChoice, Splits
from core.data.duplicates import duplicates
from core.data.fit import value_counts
from core.data.prepare import most_components, prepared
from core.results.data_report import DataReport

MAX_GROUPS = 64
"""More classes than this are counted as one where something is shown by class."""
MAX_TOKENS = 30
PIXEL_BINS = 64
MAX_CLASS_MEANS = 2_000_000
"""Numbers of all class means together; where there would be more, only the mean of all images is kept."""
CHUNK_NUMBERS = 8_000_000


def data_report(data: DatasetChoice, seed: int) -> DataReport:
    """The report on a data set, split by `seed`. Loads it.

    Raises:
        MissingData: files are not where they should be; the hint names folder and files.
    """
    splits = data.original(seed)
    preparation, explained = data.preparation, None
    if preparation.pca and splits.profile.modality != "sequence":
        most = most_components(splits.profile, preparation)
        explained = prepared(splits, preparation, seed).explained_variance if preparation.pca <= most else None
    return splits_report(splits, explained)


def splits_report(splits: Splits, explained: tuple[float, ...] | None = None) -> DataReport:
    """The report on original splits, with the variance that each principal component explains where it is known."""
    profile, parts = splits.profile, (splits.train, splits.validation, splits.test)
    found = duplicates(parts, has_classes=profile.n_classes > 0)
    about = {"image": _pictures, "sequence": _texts, "points": _columns, "tabular": _columns}[profile.modality]
    return DataReport(
        class_names=profile.class_names,
        feature_names=profile.feature_names,
        split_sizes=np.array([len(part) for part in parts], np.int64),
        **(_classes(splits) if profile.n_classes else _target(splits)),
        **(about(splits) if len(splits.train) else {}),
        duplicates=found.pairs,
        n_duplicates=found.n_duplicates,
        n_leaks=found.n_leaks,
        n_conflicts=found.n_conflicts,
        explained_variance=None if explained is None else np.array(explained),
    )


def _groups(splits: Splits) -> tuple[np.ndarray, int]:
    """The class of each training example (N,), and how many there are; all one for regression or very many classes."""
    n_classes = splits.profile.n_classes
    if 0 < n_classes <= MAX_GROUPS:
        return splits.train.y.astype(np.int64), n_classes
    return np.zeros(len(splits.train), np.int64), 1


def _classes(splits: Splits) -> dict[str, Any]:
    n_classes = splits.profile.n_classes
    counts = [np.bincount(part.y, minlength=n_classes) for part in (splits.train, splits.validation, splits.test)]
    return {"class_counts": np.stack(counts).astype(np.int64)}


def _target(splits: Splits) -> dict[str, Any]:
    parts = (splits.train.y, splits.validation.y, splits.test.y)
    values = [y[np.isfinite(y)].astype(np.float64) for y in parts]
    edges = column_report.bin_edges(np.concatenate(values))
    split = np.repeat(np.arange(3), [len(y) for y in values])
    counts = column_report.binned(np.concatenate(values), edges, split, 3)
    return {"target_name": splits.profile.target_name, "target_edges": edges, "target_counts": counts}


def _columns(splits: Splits) -> dict[str, Any]:
    x, categories = splits.train.x, splits.profile.categories if any(splits.profile.categories) else ()
    edges, counts = column_report.histograms(x, categories, *_groups(splits))
    return {
        "statistics": column_report.statistics(x, categories),
        "histogram_edges": edges,
        "histogram_counts": counts,
        "categories": categories,
        "category_counts": column_report.category_counts(x, categories, *_groups(splits)),
        "correlation": column_report.correlation(x, categories),
    }


def _pictures(splits: Splits) -> dict[str, Any]:
    x = splits.train.x
    group, n_groups = _groups(splits)
    by_class = n_groups * x[0].size <= MAX_CLASS_MEANS
    sums, sizes = _sums(x, group, n_groups) if by_class else _sums(x, np.zeros_like(group), 1)
    white = 255 / splits.brightest
    with np.errstate(invalid="ignore"):
        class_means = sums / sizes[:, None, None, None] * white  # NaN for a class without examples
    n_bins = min(PIXEL_BINS, splits.brightest + 1)
    starts = -(-np.arange(n_bins) * (splits.brightest + 1) // n_bins)
    return {
        "image_mean": sums.sum(axis=0) / len(x) * white,
        "class_means": class_means if by_class else None,
        "pixel_counts": np.add.reduceat(value_counts(x), starts, axis=1),
    }


def _sums(x: np.ndarray, group: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The images (N, C, H, W) of each group added up, (n_groups, C, H, W) float64, and how many there are, (n_groups,)."""
    sums = np.zeros((n_groups, x[0].size))
    chunk = max(1, CHUNK_NUMBERS // x[0].size)
    for start in range(0, len(x), chunk):
        rows = x[start : start + chunk].reshape(-1, x[0].size).astype(np.float32)
        is_member = np.arange(n_groups)[:, None] == group[start : start + chunk]
        sums += is_member.astype(np.float32) @ rows
    return sums.reshape(n_groups, *x.shape[1:]), np.bincount(group, minlength=n_groups)


def _texts(splits: Splits) -> dict[str, Any]:
    x, n_tokens = splits.train.x, max(splits.profile.n_tokens, len(splits.vocabulary))
    group, n_groups = _groups(splits)
    place = group[:, None] * n_tokens + x
    counts = np.bincount(place.ravel(), minlength=n_groups * n_tokens).reshape(n_groups, n_tokens)
    counts[:, 0] = 0  # padding is no token
    total = counts.sum(axis=0)
    top = np.argsort(-total, kind="stable")[: min(MAX_TOKENS, int((total > 0).sum()))]
    names = splits.vocabulary
    return {
        "lengths": np.bincount((x != 0).sum(axis=1), minlength=x.shape[1] + 1).astype(np.int64),
        "tokens": tuple(names[token] if token < len(names) else str(token) for token in top.tolist()),
        "token_counts": counts[:, top].T.astype(np.int64),
    }
