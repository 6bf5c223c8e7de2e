"""Equal examples: inside a split, across splits (leaks), and with different classes (conflicts)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.dataset import Split

MAX_PAIRS = 200


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Equal examples of a data set. `pairs` (D, 4) int64: split and index of the first, split and index of a later one."""

    pairs: np.ndarray
    n_duplicates: int
    n_leaks: int
    n_conflicts: int


def duplicates(splits: Sequence[Split], *, has_classes: bool) -> Duplicates:
    """Examples whose inputs are equal to the last bit; gaps are equal to gaps. About a second for 70,000 digits.

    Args:
        splits: in the order in which an example counts as the first.
        has_classes: whether `y` are classes, so that equal examples can contradict each other.
    """
    digests = np.concatenate([_digests(split.x) for split in splits])
    split = np.repeat(np.arange(len(splits)), [len(part) for part in splits])
    index = np.concatenate([np.arange(len(part)) for part in splits])
    _, first, kind = np.unique(digests, return_index=True, return_inverse=True)
    first = first[kind]  # of each example, the place of the first that is equal
    later = np.flatnonzero(first != np.arange(len(kind)))
    is_leak = split[later] > split[first[later]]
    shown = later[np.argsort(~is_leak, kind="stable")][:MAX_PAIRS]
    pairs = np.stack([split[first[shown]], index[first[shown]], split[shown], index[shown]], axis=1)
    _, first_in_split = np.unique(kind * len(splits) + split, return_index=True)
    return Duplicates(
        pairs=pairs.astype(np.int64),
        n_duplicates=len(kind) - len(first_in_split),
        n_leaks=int(is_leak.sum()),
        n_conflicts=_conflicts(kind, np.concatenate([part.y for part in splits])) if has_classes else 0,
    )


def _digests(x: np.ndarray) -> np.ndarray:
    """One 16-byte digest for each example (N, *shape), (N,) void: equal bytes, equal digest, and never else in practice."""
    if np.issubdtype(x.dtype, np.floating):
        x = np.where(np.isnan(x), np.nan, x + 0.0).astype(x.dtype)  # one NaN, and no minus zero
    rows = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x)
    return np.frombuffer(b"".join(rows), dtype="V16")


def _conflicts(kind: np.ndarray, y: np.ndarray) -> int:
    """Examples whose equals do not all have the same class."""
    order = np.lexsort((y, kind))
    kind, y = kind[order], y[order]
    starts = np.flatnonzero(np.r_[True, kind[1:] != kind[:-1]])[: len(kind)]
    sizes = np.diff(np.r_[starts, len(kind)])
    return int(sizes[y[starts] != y[starts + sizes - 1]].sum())
