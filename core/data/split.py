"""Which example goes where: one seeded order, stratified by class or target, cut into train, validation and test."""

import numpy as np

from core.data.dataset import Split
from core.seeds import numpy_stream

TARGET_GROUPS = 10
"""Groups of equal size into which the targets of a regression are sorted to stratify by them."""


def split_sizes(n: int, train_share: float, validation_share: float) -> tuple[int, int, int]:
    """How many of `n` examples go to train, validation and test; the sum is `n`."""
    n_train = round(n * train_share)
    n_validation = min(round(n * validation_share), n - n_train)
    return n_train, n_validation, n - n_train - n_validation


def strata(y: np.ndarray) -> np.ndarray:
    """What a split is stratified by, (N,) int64: classes as they are; numbers (float) by the tenth in which they rank.

    Small test splits of a regression would else differ from the rest by chance: R2 divides by their variance.
    """
    if y.dtype.kind != "f":
        return y
    rank = np.empty(len(y), np.int64)
    rank[np.argsort(y, kind="stable")] = np.arange(len(y))
    groups: np.ndarray = rank * TARGET_GROUPS // max(1, len(y))
    return groups


def stratified_order(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random order of all positions (N,) int64 in which classes, or small and large targets, stay mixed as in the whole.

    Any cut out of it holds each class in proportion, to within one or two examples: the k-th of the n examples of a class
    stands at (k - 1/2) / n of the way. Unlike scikit-learn's `train_test_split` this needs no two examples per class.
    """
    shuffled = rng.permutation(len(y))
    labels = strata(y)[shuffled]
    counts = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    rank = np.empty(len(y), np.int64)
    rank[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    order: np.ndarray = shuffled[np.argsort((rank + 0.5) / counts[labels], kind="stable")]
    return order


def cut(x: np.ndarray, y: np.ndarray, sizes: tuple[int, ...], seed: int, evidence: np.ndarray | None = None) -> list[Split]:
    """Splits of these sizes. No example is in two of them; examples that are left over are in none.

    Every prefix of a split is stratified too, so its first n examples are a fair sample.
    """
    order = stratified_order(y, numpy_stream(seed, "split"))
    ends = np.cumsum(sizes)
    parts = [order[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return [Split(x[part], y[part], None if evidence is None else evidence[part]) for part in parts]
