"""Parts of learning-rate schedules: the arithmetic of core/optim/schedules.py, to the last bit."""

import math


def half_cosine(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, of which a share is behind."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def share_of(done: float, whole: float) -> float:
    """The share of a way that is behind, at most 1; all of a way without length."""
    return min(1.0, done / whole) if whole > 0 else 1.0


class Plateau:
    """A factor on the learning rate that falls when the validation loss does not."""

    def __init__(
        self, gamma: float, patience: int, threshold: float, cooldown: int, least: float
    ) -> None:
        self.gamma, self.patience, self.threshold = gamma, patience, threshold
        self.cooldown, self.least = cooldown, least
        self.factor, self.best, self.n_bad, self.resting = 1.0, math.inf, 0, 0

    def see(self, loss: float) -> None:
        """Look at the validation loss of one more epoch."""
        loss = loss if math.isfinite(loss) else math.inf
        is_better = loss < self.best * (1 - self.threshold)
        self.n_bad = 0 if is_better or self.resting else self.n_bad + 1
        self.resting = max(0, self.resting - 1)
        self.best = loss if is_better else self.best
        if self.n_bad > self.patience:
            self.factor = max(self.factor * self.gamma, self.least)
            self.n_bad, self.resting = 0, self.cooldown
