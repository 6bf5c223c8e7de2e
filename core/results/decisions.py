"""What each threshold on the probability of one of two classes decides, and what that costs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts at one threshold. "Positive" is the class whose probability is compared with it."""

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def n(self) -> int:
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives

    @property
    def precision(self) -> float | None:
        """Share of the right among those that are called positive; None when none is."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the positives that are found (true positive rate); None without positives."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float | None:
        """Share of the negatives that are called positive; None without negatives."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def accuracy(self) -> float | None:
        return _share(self.true_positives + self.true_negatives, self.n)

    def cost(self, false_positive: float, false_negative: float) -> float:
        """Mean cost per example, from the cost of one error of each kind."""
        return (self.false_positives * false_positive + self.false_negatives * false_negative) / max(1, self.n)


@dataclass(frozen=True, slots=True)
class Decisions:
    """All thresholds that decide differently, falling: an example is called positive when its probability is at least that.

    `thresholds` (T,) float64 from infinity (none is positive) down to the lowest probability (all are);
    `true_positives`, `false_positives` (T,) int64.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    n_positive: int
    n_negative: int

    def at(self, threshold: float) -> Outcome:
        """What this threshold decides."""
        return self._outcome(int(self._places(threshold)), threshold)

    def costs(self, false_positive: float, false_negative: float) -> np.ndarray:
        """Mean cost per example (T,) at each of `thresholds`."""
        missed = self.n_positive - self.true_positives
        total = self.false_positives * false_positive + missed * false_negative
        costs: np.ndarray = total / max(1, self.n_positive + self.n_negative)
        return costs

    def cheapest(self, false_positive: float, false_negative: float) -> Outcome:
        """The threshold with the least mean cost: the middle of the range of thresholds that decide so.

        Of equally cheap ranges the one that is nearest to 0.5. Infinity where nothing may be called positive although some
        probability is 1.
        """
        costs = self.costs(false_positive, false_negative)
        best = np.flatnonzero(costs <= costs.min() + 1e-12 * max(1.0, abs(float(costs.min()))))
        lower = np.append(self.thresholds[1:], 0.0)
        upper = np.where(lower >= 1, np.inf, np.minimum(self.thresholds, 1.0))  # nothing up to 1 is above a probability of 1
        middles = (upper + lower)[best] / 2
        nearest = int(np.argmin(np.abs(middles - 0.5)))
        return self._outcome(int(best[nearest]), float(middles[nearest]))

    def curve(self, false_positive: float, false_negative: float, n: int = 401) -> tuple[np.ndarray, np.ndarray]:
        """Thresholds (n,) from 0 to 1, and the mean cost (n,) at each, for a drawing."""
        asked = np.linspace(0, 1, n)
        return asked, self.costs(false_positive, false_negative)[self._places(asked)]

    def _places(self, asked: np.ndarray | float) -> np.ndarray:
        """The lowest of `thresholds` that is not below the asked one: it calls the same examples positive."""
        places: np.ndarray = np.searchsorted(-self.thresholds, -np.asarray(asked), side="right") - 1
        return places

    def _outcome(self, place: int, threshold: float) -> Outcome:
        hits, alarms = int(self.true_positives[place]), int(self.false_positives[place])
        return Outcome(threshold, hits, alarms, self.n_positive - hits, self.n_negative - alarms)


def ideal_threshold(false_positive: float, false_negative: float) -> float | None:
    """The cheapest threshold where probabilities are right; None where no error costs anything.

    Source:
        Elkan 2001, "The Foundations of Cost-Sensitive Learning", theorem 1.
    """
    both = false_positive + false_negative
    return false_positive / both if both > 0 else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
