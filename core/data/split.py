"""Which example goes where: one seeded order, stratified by class, cut into train, validation and test."""

import numpy as np

from core.data.dataset import Split
from core.seeds import numpy_stream


def split_sizes(n: int, train_share: float, validation_share: float) -> tuple[int, int, int]:
    """How many of `n` examples go to train, validation and test; the sum is `n`."""
    n_train = round(n * train_share)
    n_validation = min(round(n * validation_share), n - n_train)
    return n_train, n_validation, n - n_train - n_validation


def stratified_order(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random order of all positions (N,) int64 in which the classes stay mixed as in the whole.

    Any cut out of it holds each class in proportion, to within one or two examples: the k-th of the n examples of a class
    stands at (k - 1/2) / n of the way. Unlike scikit-learn's `train_test_split` this needs no two examples per class.
    """
    shuffled = rng.permutation(len(y))
    labels = y[shuffled]
    counts = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    rank = np.empty(len(y), np.int64)
    rank[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    order: np.ndarray = shuffled[np.argsort((rank + 0.5) / counts[labels], kind="stable")]
    return order


def cut(x: np.ndarray, y: np.ndarray, sizes: tuple[int, ...], seed: int) -> list[Split]:
    """Splits of these sizes. No example is in two of them; examples that are left over are in none.

    Every prefix of a split is stratified too, so its first n examples are a fair sample.
    """
    order = stratified_order(y, numpy_stream(seed, "split"))
    ends = np.cumsum(sizes)
    return [Split(x[order[end - size : end]], y[order[end - size : end]]) for size, end in zip(sizes, ends, strict=True)]
