"""What a model does over many examples: contributions of each, and how much worse it gets without a column."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class GlobalView:
    """Contributions of K columns of a table to the answers for N examples, and what shuffling each column costs."""

    columns: tuple[str, ...]
    """Names, with units where the data have them. The inputs of one category are one column: their contributions are summed."""
    categories: tuple[tuple[str, ...], ...]
    """Of each column, in the order of their numbers; () for numbers."""
    contributions: np.ndarray
    """(N, K) float64, in `unit`."""
    values: np.ndarray
    """(N, K) float64: what each example has in each column, in its own unit, or the number of the category."""
    mean_sizes: np.ndarray
    """(K,) float64: the mean absolute contribution."""
    outputs: np.ndarray
    """(N,) float64: what is explained, for each example; base + sum of its contributions, up to rounding."""
    base: float
    indices: np.ndarray
    """(N,) int64: places in the split."""
    labels: np.ndarray
    """(N,) int64 classes; -1 for regression."""
    split: str
    class_names: tuple[str, ...]
    target_name: str
    unit: str
    stderr: float
    """The largest standard error of any contribution; 0 where all are exact."""
    losses: np.ndarray
    """(R, K) float64: by how much the loss rises when the column is shuffled, R times."""
    scores: np.ndarray
    """(R, K) float64: by how much the score falls."""
    loss: float
    score: float
    """Before any shuffling."""
    loss_unit: str
    score_name: str
    """accuracy; R² for regression."""
    n_shuffled: int
    """Examples whose columns were shuffled."""
    n_evaluations: int
    seconds: float
    step: int


@dataclass(frozen=True, slots=True)
class GlobalMaps:
    """Where a method points in images, on the mean over some examples of each class."""

    label: str
    """Of the method."""
    unit: str
    maps: np.ndarray
    """(C, H, W) float32: mean size of the attribution of the class's own answer; for methods with a sign, of its absolute."""
    pictures: np.ndarray
    """(C, H, W) or (C, H, W, 3) uint8: the mean picture."""
    counts: np.ndarray
    """(C,) int64: examples of each class; 0 where the split has none."""
    class_names: tuple[str, ...]
    split: str
    n_evaluations: int
    seconds: float
    step: int


@dataclass(frozen=True, slots=True)
class GlobalWords:
    """What words do to the answers for some texts, on the mean over all their occurrences."""

    label: str
    """Of the method."""
    unit: str
    target_name: str
    words: tuple[str, ...]
    """W, the largest mean contribution first, by size."""
    means: np.ndarray
    """(W,) float64, in `unit`."""
    spreads: np.ndarray
    """(W,) float64: standard error of the mean; NaN for words that occur once."""
    counts: np.ndarray
    """(W,) int64: occurrences."""
    n_texts: int
    split: str
    n_evaluations: int
    seconds: float
    step: int
