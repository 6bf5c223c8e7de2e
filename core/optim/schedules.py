"""Learning-rate schedules: what the learning rate is multiplied with at each step. Torch-free, a function of the step alone."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from core.spec import Choice, on_menu


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a run is, as far as is known: what schedules that end somewhere are stretched over."""

    steps_per_epoch: int
    total_steps: int | None


class ScheduleChoice(Choice):
    """A schedule. `step` counts finished steps: 0 for the first one."""

    def factor(self, step: int, clock: Clock) -> float:
        """What the base learning rate is multiplied with in this step."""
        raise TypeError(f"{type(self).__name__} must say its factor")


class Constant(ScheduleChoice):
    """The same learning rate from the first step to the last."""

    kind: Literal["constant"] = "constant"
    label = "Constant"

    def factor(self, step: int, clock: Clock) -> float:
        """Always 1."""
        return 1.0


class StepDecay(ScheduleChoice):
    """Multiplies the learning rate by the same number every so many epochs."""

    kind: Literal["step"] = "step"
    label = "Step"
    every: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Epochs between two drops."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What each drop multiplies with."""

    def factor(self, step: int, clock: Clock) -> float:
        """gamma to the power of drops so far."""
        return float(self.gamma ** (step // clock.steps_per_epoch // self.every))


AnySchedule = Annotated[Constant | StepDecay, on_menu()]
