"""The figures of classification for many resamples at once, from how often each example was drawn.

scikit-learn takes one resample at a time, some milliseconds each; here all are a few sums. Tests hold both equal.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.metrics.bootstrap import Floats
from core.metrics.calibration import N_BINS, bin_of, confidence_and_hits
from core.metrics.classification import AVERAGES, SCORES, brier_scores, hits_within, log_losses, shown_ks

Labels = NDArray[np.int64]
Sums = Callable[[Floats], Floats]


class ClassFigures:
    """Figures (r, m + 3 * K): m in the order of `names`, then precision, recall and F1 of each class, NaN where undefined."""

    def __init__(self, labels: Labels, log_probabilities: Floats) -> None:
        n_classes = log_probabilities.shape[1]
        predicted = log_probabilities.argmax(1)
        confidence, is_right = confidence_and_hits(log_probabilities, labels)
        means = {f"top_{k}": hits_within(labels, log_probabilities, k) for k in shown_ks(n_classes)}
        means |= {"log_loss": log_losses(labels, log_probabilities), "brier": brier_scores(labels, log_probabilities)}
        self._means, self._mean_names = np.stack(list(means.values()), 1), tuple(means)
        self._gaps = np.zeros((len(labels), N_BINS))
        self._gaps[np.arange(len(labels)), bin_of(confidence)] = confidence - is_right
        cells, places = np.unique(labels * n_classes + predicted, return_inverse=True)  # of the confusion matrix
        there, said = cells // n_classes, cells % n_classes
        self._cells = _sums_by(places, len(cells))
        self._there, self._said = _sums_by(there, n_classes), _sums_by(said, n_classes)
        self._right = _sums_by(np.where(there == said, there, -1), n_classes)
        averaged = tuple(f"{score}_{average}" for average in AVERAGES for score in SCORES)
        self.names = ("accuracy", "balanced_accuracy", *averaged, "mcc", *self._mean_names, "ece")

    def __call__(self, counts: Floats) -> Floats:
        n = counts.sum(1)
        cells = self._cells(counts)
        right, there, said = self._right(cells), self._there(cells), self._said(cells)
        by_class = [_ratio(right, said), _ratio(right, there), _ratio(2 * right, there + said)]
        columns = [
            right.sum(1) / n,
            _mean(by_class[1], there > 0),
            *_averages(by_class, there, said, right.sum(1) / n),
            _correlation(right, there, said, n),
        ]
        means, ece = counts @ self._means / n[:, None], np.abs(counts @ self._gaps).sum(1) / n
        return np.column_stack([*columns, means, ece, np.stack(by_class, 2).reshape(len(counts), -1)])


class AreaFigures:
    """Means over classes of ROC AUC and average precision, (r, 2). NaN in a resample in which no class has a curve."""

    names = ("auc", "average_precision")

    def __init__(self, labels: Labels, log_probabilities: Floats) -> None:
        self._ranked = [_ranked(log_probabilities[:, k], labels == k) for k in range(log_probabilities.shape[1])]

    def __call__(self, counts: Floats) -> Floats:
        areas = np.stack([_areas(counts, *ranked) for ranked in self._ranked])  # (K, r, 2)
        is_there = ~np.isnan(areas)
        n_there = is_there.sum(0)
        return np.where(n_there > 0, np.where(is_there, areas, 0).sum(0) / np.maximum(1, n_there), np.nan)


def _ranked(scores: Floats, is_positive: NDArray[np.bool_]) -> tuple[Labels, NDArray[np.bool_], Labels]:
    """Examples from the highest score down, whether each is positive, and the last place of each distinct score."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    return order, is_positive[order], np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)


def _areas(counts: Floats, order: Labels, is_positive: NDArray[np.bool_], last: Labels) -> Floats:
    """Area under the ROC curve and average precision, (r, 2), of one class."""
    drawn = counts[:, order]
    hits = np.cumsum(drawn * is_positive, axis=1)[:, last]
    alarms = np.cumsum(drawn, axis=1)[:, last] - hits
    n_positive, n_negative = hits[:, -1:], alarms[:, -1:]
    steps = np.diff(hits, axis=1, prepend=0.0)  # new positives at each score
    below = n_negative - (alarms + np.pad(alarms[:, :-1], ((0, 0), (1, 0)))) / 2  # negatives behind them, ties by half
    auc = _ratio((steps * below).sum(1), (n_positive * n_negative)[:, 0])
    precision = hits / np.maximum(1.0, hits + alarms)
    average = _ratio((steps * precision).sum(1), n_positive[:, 0])
    is_defined = (n_positive * n_negative)[:, 0] > 0
    return np.stack([auc, np.where(is_defined, average, np.nan)], 1)


def _sums_by(groups: Labels, n_groups: int) -> Sums:
    """Adds up counts (r, n) by group: (r, n_groups). Group -1 is left out."""
    order = np.argsort(groups, kind="stable")
    order = order[np.searchsorted(groups[order], 0) :]
    present, starts = np.unique(groups[order], return_index=True)

    def sums(counts: Floats) -> Floats:
        found = np.zeros((len(counts), n_groups))
        if len(present):
            found[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
        return found

    return sums


def _averages(by_class: list[Floats], there: Floats, said: Floats, accuracy: Floats) -> list[Floats]:
    """Precision, recall and F1: micro, macro, weighted; undefined ones count as 0, absent classes not at all."""
    whole = [np.nan_to_num(scores) for scores in by_class]
    macro = [_mean(scores, there + said > 0) for scores in whole]
    weighted = [(scores * there).sum(1) / there.sum(1) for scores in whole]
    return [accuracy] * 3 + macro + weighted


def _correlation(right: Floats, there: Floats, said: Floats, n: Floats) -> Floats:
    """Matthews' coefficient; 0 where it is undefined.

    Source:
        Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    covariance = right.sum(1) * n - (there * said).sum(1)
    spreads = (n**2 - np.square(said).sum(1)) * (n**2 - np.square(there).sum(1))
    return np.nan_to_num(_ratio(covariance, np.sqrt(spreads)))


def _mean(values: Floats, is_counted: NDArray[np.bool_]) -> Floats:
    """Mean over classes (r, K) -> (r,) of those that count."""
    mean: Floats = np.where(is_counted, values, 0).sum(1) / is_counted.sum(1)
    return mean


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where the whole is 0."""
    ratio: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return ratio
