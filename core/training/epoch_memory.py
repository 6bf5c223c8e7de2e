"""What a series remembers of its validation losses: for early stopping, and for schedules that wait for a plateau."""

import math
from dataclasses import dataclass, field, replace
from typing import Self

from core.optim.schedules import AnySchedule, Plateau, PlateauState


@dataclass(frozen=True, slots=True)
class EpochMemory:
    """The best validation loss so far, its epoch (from 1; 0 for none yet), and the state of a Plateau."""

    best: float = math.inf
    best_epoch: int = 0
    plateau: PlateauState = field(default_factory=PlateauState)

    def after(self, epoch: int, loss: float, schedule: AnySchedule) -> Self:
        """The memory after one more epoch; a loss that is not finite counts as infinite."""
        loss = loss if math.isfinite(loss) else math.inf
        plateau = self.plateau.after(loss, schedule) if isinstance(schedule, Plateau) else self.plateau
        is_better = loss < self.best
        return type(self)(min(loss, self.best), epoch if is_better else self.best_epoch, plateau)

    def for_schedule(self, schedule: AnySchedule, before: AnySchedule) -> Self:
        """The memory of a copy with another schedule: a plateau that waits anew has come to nothing yet."""
        return self if schedule == before else replace(self, plateau=PlateauState())

    def numbers(self) -> tuple[float | None, ...]:
        """As JSON takes it: null for infinite."""
        plateau = self.plateau
        numbers = (self.best, self.best_epoch, plateau.factor, plateau.best, plateau.n_bad, plateau.cooldown)
        return tuple(number if math.isfinite(number) else None for number in numbers)

    @classmethod
    def of(cls, numbers: tuple[float | None, ...]) -> Self:
        """The other way."""
        best, epoch, factor, plateau_best, n_bad, cooldown = (math.inf if number is None else number for number in numbers)
        return cls(best, int(epoch), PlateauState(factor, plateau_best, int(n_bad), int(cooldown)))
