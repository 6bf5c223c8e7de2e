"""What a sweep of learning rates found."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sweep:
    """Validation figures after equal training of every lane (L) with every rate (R) and every seed (S).

    All seeds share their initial weights and batches across lanes and rates. NaN where training diverged.
    """

    names: tuple[str, ...]
    """One for each row, without its rate."""
    lanes: tuple[str, ...]
    """Each row's Lane as JSON, with the rate that it came with."""
    rates: np.ndarray
    """(R,) float64, rising."""
    losses: np.ndarray
    """(L, R, S) float64, in the unit of the loss."""
    scores: np.ndarray
    """(L, R, S) float64: accuracy in [0, 1], or for regression R²."""
    steps: int
    """Optimizer steps of each cell."""
    loss_unit: str
    is_accuracy: bool
    """Whether scores are accuracies."""

    def mean_losses(self) -> np.ndarray:
        """(L, R): mean over the seeds; NaN where one of them diverged."""
        means: np.ndarray = self.losses.mean(axis=2)
        return means

    def spreads(self) -> np.ndarray:
        """(L, R): standard deviation of the loss over the seeds; NaN with one seed, or where one of them diverged."""
        n = self.losses.shape[2]
        return self.losses.std(axis=2, ddof=1) if n > 1 else np.full(self.losses.shape[:2], np.nan)

    def mean_scores(self) -> np.ndarray:
        """(L, R): mean over the seeds; NaN where one of them diverged."""
        means: np.ndarray = self.scores.mean(axis=2)
        return means

    def best(self, row: int) -> int | None:
        """The place of the rate with the lowest mean loss; None where all diverged."""
        means = self.mean_losses()[row]
        return None if np.isnan(means).all() else int(np.nanargmin(means))

    def is_at_edge(self, row: int) -> bool:
        """Whether the best rate is the first or the last that was tried: a better one may lie beyond."""
        return self.best(row) in (0, len(self.rates) - 1)
