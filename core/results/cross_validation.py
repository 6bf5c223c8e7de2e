"""What a cross-validation found: figures of every fold, and what was said of every example while it was held out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """L lanes trained in k folds over N examples, those of the training split followed by those of the validation split.

    Scores are accuracies in [0, 1], or for regression R². NaN where training diverged, or was over before that epoch.
    """

    k: int
    seed: int
    lanes: tuple[str, ...]
    class_names: tuple[str, ...]
    """Empty for regression."""
    loss_unit: str
    epochs: np.ndarray
    """(E,) int64, from 1."""
    train_loss: np.ndarray
    """(L, k, E) float64, as `validation_loss` and `validation_score`: at the end of each epoch, of the held-out part."""
    validation_loss: np.ndarray
    validation_score: np.ndarray
    last_loss: np.ndarray
    """(L, k) float64: of the held-out part after the last step."""
    last_score: np.ndarray
    fold_of: np.ndarray
    """(N,) int64: the fold, from 0, that holds each example out."""
    labels: np.ndarray
    """(N,) int64 true classes; -1 for regression."""
    predicted: np.ndarray
    """(L, N) int64: the class predicted after the last step of the fold that held the example out; -1 where it diverged, and
    for regression."""
    targets: np.ndarray
    """(N,) float64 in their own unit; NaN for classes."""
    values: np.ndarray
    """(L, N) float64: the predicted numbers of a regression; NaN else."""
    n_train: np.ndarray
    """(k,) int64: examples to learn from, as `n_held_out`, `steps` of the optimizer and `seconds` of training (float64)."""
    n_held_out: np.ndarray
    steps: np.ndarray
    seconds: np.ndarray
    notes: tuple[str, ...] = ()
    """What must be known to read the figures, in sentences."""

    @property
    def is_accuracy(self) -> bool:
        """Whether scores are accuracies."""
        return bool(self.class_names)

    @property
    def ratio(self) -> float:
        """Held-out examples per training example, for tests that know how much folds share."""
        return float(self.n_held_out.mean() / self.n_train.mean())

    def best_places(self) -> np.ndarray:
        """(L, k) int64: the place in `epochs` of the lowest held-out loss, the first of equals; -1 where there is none."""
        loss = np.where(np.isfinite(self.validation_loss), self.validation_loss, np.inf)
        if not len(self.epochs):
            return np.full(self.last_loss.shape, -1)
        places = loss.argmin(2)
        is_any = np.isfinite(loss.min(2))
        found: np.ndarray = np.where(is_any, places, -1)
        return found

    def best_scores(self) -> np.ndarray:
        """(L, k) float64: the score at the epoch with the lowest held-out loss; NaN where there is none."""
        return self._at_best(self.validation_score)

    def best_losses(self) -> np.ndarray:
        """(L, k) float64: the lowest held-out loss of an epoch; NaN where there is none."""
        return self._at_best(self.validation_loss)

    def _at_best(self, curves: np.ndarray) -> np.ndarray:
        places = self.best_places()
        if not len(self.epochs):
            return np.full(places.shape, np.nan)
        picked = np.take_along_axis(curves, np.maximum(places, 0)[..., None], 2)[..., 0]
        found: np.ndarray = np.where(places >= 0, picked, np.nan)
        return found

    def has_same_folds(self, other: "CrossValidation") -> bool:
        """Whether the same examples were held out together, so that folds can be paired."""
        same = np.array_equal(self.fold_of, other.fold_of) and np.array_equal(self.labels, other.labels)
        return same and np.array_equal(self.targets, other.targets, equal_nan=True)


def mean_and_spread(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (E,) and standard deviation (E,) over the folds of curves (k, E) that are finite there; NaN where there are none,
    a deviation of 0 where there is one."""
    known = np.isfinite(curves)
    n = known.sum(0)
    filled = np.where(known, curves, 0.0)
    mean = np.where(n > 0, filled.sum(0) / np.maximum(n, 1), np.nan)
    apart = np.where(known, curves - np.where(n > 0, mean, 0.0), 0.0)
    spread = np.sqrt((apart**2).sum(0) / np.maximum(n - 1, 1))
    return mean, np.where(n > 0, spread, np.nan)
