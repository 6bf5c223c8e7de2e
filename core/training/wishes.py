"""What a run was asked for and has not done yet: to stop, to wait, to make so many steps, to go slowly, to change a lane."""

import time
from dataclasses import dataclass, field

from core.events import Command, Pause, SetSpeed, Step, Stop


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that is to be made once `after_step` is done."""

    after_step: int
    command: Command
    is_prescribed: bool = False
    """The experiment itself says so."""


@dataclass(slots=True)
class Wishes:
    """Commands that wait for the moment at which the loop can do them."""

    pending: list[Pending]
    """Changes of lanes, in order."""
    is_stopped: bool = False
    is_pausing: bool = False
    is_resting: bool = False
    """It has said that it waits, and is not pulled."""
    steps: int | None = None
    """Steps to make before it waits; None for as many as there are."""
    phases: int = 0
    """Phases to make before it waits."""
    speed: float = 0.0
    """Steps per second; 0 for as many as can be."""
    next_due: float = field(default_factory=time.perf_counter)

    def take(self, command: Command, step: int, steps_per_epoch: int) -> None:
        """Note a command that came after `step`."""
        match command:
            case Stop():
                self.is_stopped = True
            case Pause():
                self.is_pausing, self.steps, self.phases = True, None, 0
            case Step(n=n, unit="phase"):
                self.is_pausing, self.phases = False, max(1, n)
            case Step(n=n, unit=unit):
                self.is_pausing = False
                self.steps = max(1, n) * steps_per_epoch - step % steps_per_epoch if unit == "epoch" else max(1, n)
            case SetSpeed(steps_per_s=speed):
                self.speed, self.next_due = max(0.0, speed), time.perf_counter()
                self.is_pausing = self.is_pausing or self.is_resting
            case _:
                n_due = sum(change.after_step <= step for change in self.pending)
                self.pending.insert(n_due, Pending(step, command))
                self.is_pausing = self.is_pausing or self.is_resting

    def has_due_change(self, step: int) -> bool:
        """Whether a change of a lane is to be made before the next step."""
        return bool(self.pending) and self.pending[0].after_step <= step

    def wants_other_than_steps(self, step: int) -> bool:
        """Whether something else comes before the next step."""
        return self.is_stopped or self.is_pausing or bool(self.phases) or self.has_due_change(step)

    def wait_s(self) -> float:
        """How long slow motion waits for the next step; 0 at full speed, and for steps that were asked for by hand."""
        if not self.speed or self.steps is not None:
            return 0.0
        return max(0.0, self.next_due - time.perf_counter())

    def note_due(self) -> None:
        """A step of slow motion is made now; time that was lost is made up for within a second."""
        if self.speed and self.steps is None:
            self.next_due = max(self.next_due, time.perf_counter() - 1.0) + 1 / self.speed
