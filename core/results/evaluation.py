"""How good a model is on one split: figures with intervals, and the curves behind them."""

from dataclasses import dataclass

import numpy as np

from core.results.decisions import Decisions


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Classification. M figures, K classes, B bins of probability; NaN: not defined, or no interval.

    `names` of the figures (see core/metrics/classification.py), `values`, `low`, `high` (M,) with the ends of the 95 %
    interval, `resamples` (M,) int64 from how many resamples. Log loss in nats; all others are pure numbers.
    """

    split: str
    step: int
    class_names: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    resamples: np.ndarray
    support: np.ndarray
    """(K,) int64: examples of each class."""
    n_predicted: np.ndarray
    """(K,) int64: how often each class is predicted."""
    by_class: np.ndarray
    """(K, 5): precision, recall, F1, ROC AUC, average precision of each class against the rest."""
    by_class_low: np.ndarray
    """(K, 3): of the first three."""
    by_class_high: np.ndarray
    roc: np.ndarray
    """(2, P) false and true positive rate, one class after the other; class k from roc_starts[k] to roc_starts[k + 1]."""
    roc_starts: np.ndarray
    macro_roc: np.ndarray
    """(2, G), the mean over classes; (2, 0) where no class has a curve."""
    pr: np.ndarray
    """(2, Q) recall and precision, with pr_starts as above."""
    pr_starts: np.ndarray
    bin_edges: np.ndarray
    """(B + 1,)."""
    bin_counts: np.ndarray
    """(2, B) int64: as the model is, and with its temperature scaled; so are the next two."""
    bin_confidence: np.ndarray
    bin_accuracy: np.ndarray
    temperature: float
    """With the least log loss on the validation split."""
    temperature_note: str
    """ "coldest", "hottest": at an end of the range from 0.01 to 100; "flat": all are equally good."""
    scaled: np.ndarray
    """(3,): log loss, Brier score and calibration error of this split with the temperature scaled."""
    cuts: tuple[np.ndarray, ...] = ()
    """Two classes: (3, T) thresholds, true and false positives, for class 0 and for class 1 as the positive one."""
    validation_cuts: tuple[np.ndarray, ...] = ()
    """The same on the validation split."""
    validation_support: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        return int(self.support.sum())

    def value(self, name: str) -> float:
        """The figure of this name."""
        return float(self.values[self.names.index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """The ends of its interval."""
        place = self.names.index(name)
        return float(self.low[place]), float(self.high[place])

    def roc_of(self, k: int) -> np.ndarray:
        """(2, p) false and true positive rate of class k."""
        return self.roc[:, self.roc_starts[k] : self.roc_starts[k + 1]]

    def pr_of(self, k: int) -> np.ndarray:
        """(2, q) recall and precision of class k."""
        return self.pr[:, self.pr_starts[k] : self.pr_starts[k + 1]]

    @property
    def never_predicted(self) -> tuple[int, ...]:
        """Classes that are there and never predicted."""
        return tuple(np.flatnonzero((self.n_predicted == 0) & (self.support > 0)).tolist())

    @property
    def never_there(self) -> tuple[int, ...]:
        """Classes of which the split has no example."""
        return tuple(np.flatnonzero(self.support == 0).tolist())

    @property
    def most_frequent(self) -> tuple[int, float]:
        """The class with most examples, and the accuracy of always naming it."""
        k = int(self.support.argmax())
        return k, float(self.support[k] / max(1, self.n))

    def worst(self, n: int) -> tuple[int, ...]:
        """At most n classes with a curve, the smallest area under the ROC curve first."""
        areas = self.by_class[:, 3]
        order = np.argsort(areas, kind="stable")
        return tuple(k for k in order.tolist() if not np.isnan(areas[k]))[:n]

    def decisions(self, positive: int, *, on_validation: bool = False) -> Decisions:
        """Two classes: what each threshold on the probability of class `positive` decides."""
        thresholds, hits, alarms = (self.validation_cuts if on_validation else self.cuts)[positive]
        support = self.validation_support if on_validation else tuple(self.support.tolist())
        counts = (hits.astype(np.int64), alarms.astype(np.int64))
        return Decisions(thresholds, *counts, support[positive], support[1 - positive])


@dataclass(frozen=True, slots=True)
class NumberEvaluation:
    """Regression, in the target's own unit; figures as in `Evaluation`, see core/metrics/regression.py.

    `targets`, `predicted` (N,); `edges` (B + 1,) and `counts` (B,) of the residuals, which are true - predicted.
    """

    split: str
    step: int
    target_name: str
    names: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    resamples: np.ndarray
    targets: np.ndarray
    predicted: np.ndarray
    edges: np.ndarray
    counts: np.ndarray

    @property
    def n(self) -> int:
        return len(self.targets)

    @property
    def residuals(self) -> np.ndarray:
        """(N,): positive where the model says too little."""
        residuals: np.ndarray = self.targets - self.predicted
        return residuals

    def value(self, name: str) -> float:
        """The figure of this name."""
        return float(self.values[self.names.index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """The ends of its interval."""
        place = self.names.index(name)
        return float(self.low[place]), float(self.high[place])
