"""How much can be pruned before a model forgets."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PruningSweep:
    """M methods, S sparsities, D draws. Methods that draw no lots have one draw; the others' places are NaN."""

    methods: tuple[str, ...]
    """Kinds of compressions."""
    sparsities: np.ndarray
    """(S,) float64: what was asked for, in [0, 1), rising from 0."""
    scores: np.ndarray
    """(M, S, D) float64: accuracy in [0, 1] or R²."""
    low: np.ndarray
    """(M, S) float64: lower end of the 95 % interval of the score over examples; of several draws, of their mean over draws."""
    high: np.ndarray
    """(M, S) float64: its upper end."""
    zeros: np.ndarray
    """(M, S) float64: share of the weights of all prunable layers that are zero or gone."""
    parameters: np.ndarray
    """(M, S) int64: parameters of the stack, fewer where units were taken out."""
    original: np.ndarray
    """(3,) float64: score of the model as it is, and the ends of its interval."""
    split: str
    n_examples: int
    is_accuracy: bool

    def means(self) -> np.ndarray:
        """(M, S): mean score over the draws."""
        found: np.ndarray = np.nanmean(self.scores, 2)
        return found

    def last_good(self, method: int) -> float:
        """The largest sparsity up to which the mean score stays within the original's interval; 0 where it does not at all."""
        good = self.means()[method] >= self.original[1]
        n = len(good) if good.all() else int(np.argmin(good))
        return float(self.sparsities[n - 1]) if n else 0.0
