"""How alike two explanations are: over seeds, over methods, over weights."""

import numpy as np

TOP_PLAYERS = 5
TOP_SHARE = 0.1
"""Of the pixels of a map without patches: about what one object in a picture covers."""


def top_k(n_parts: int, *, are_pixels: bool) -> int:
    """How many of the most important parts are compared: a tenth of the pixels, or five players and at most half of them."""
    return max(1, round(TOP_SHARE * n_parts) if are_pixels else min(TOP_PLAYERS, n_parts // 2))


def overlap(a: np.ndarray, b: np.ndarray, k: int) -> float:
    """Jaccard index, in [0, 1], of the k entries of largest size in each."""
    first, second = (set(np.argsort(-np.abs(np.ravel(one)), kind="stable")[:k].tolist()) for one in (a, b))
    return len(first & second) / len(first | second)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation in [-1, 1], ties at their mean rank; 0 where one of the two says the same everywhere."""
    from scipy.stats import rankdata

    first, second = (rankdata(np.ravel(one)) for one in (a, b))
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale else 0.0
