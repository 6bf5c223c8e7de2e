"""What a model says of every example of one split."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Predictions:
    """N examples in the order of their split, K classes; numbers of a regression in their own unit.

    Classification: `log_probabilities` (N, K) float64, natural logarithms (a softmax of them divided by T is temperature
    scaling); `labels` (N,) int64 true classes. Regression: `values` (N,) float64 predicted and `targets` (N,) true.
    """

    split: str
    step: int
    class_names: tuple[str, ...]
    """Empty for regression."""
    labels: np.ndarray
    """(N,) int64; -1 for regression."""
    log_probabilities: np.ndarray | None = None
    values: np.ndarray | None = None
    targets: np.ndarray | None = None
    target_name: str = ""

    @property
    def probabilities(self) -> np.ndarray:
        """(N, K) float64; (N, 0) for regression."""
        return np.zeros((len(self.labels), 0)) if self.log_probabilities is None else np.exp(self.log_probabilities)

    @property
    def predicted(self) -> np.ndarray:
        """(N,) int64: the most probable class; -1 for regression."""
        known = self.log_probabilities
        return np.full(len(self.labels), -1) if known is None else known.argmax(1)
