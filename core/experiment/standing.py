"""How a lane of a race stands, and how it compares with the best one."""

from dataclasses import dataclass

from core.metrics.statistics import Estimate

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Standing:
    """One lane over its seeds."""

    name: str
    mean: Estimate
    """Over the seeds that did not diverge, with its 95 % interval."""
    n_diverged: int
    n_first: int
    """Seeds in which it alone was best."""
    n_shared: int
    """Seeds in which it and others were best, to the last digit."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """By how much the best lane is better than another one, over the seeds that both came through."""

    lane: int
    better_by: Estimate
    """Positive where the best lane is better, with its 95 % interval."""
    p: float
    """Two-sided, of the paired t test; NaN for fewer than two seeds."""
    p_corrected: float
    spread: float
    """Standard deviation of the difference over seeds."""

    @property
    def is_clear(self) -> bool:
        """Whether luck is excluded as far as a test can."""
        return self.p_corrected < 1 - CONFIDENCE
