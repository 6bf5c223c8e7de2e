"""What may be asked of a running run. The whole text of a lane or an optimizer travels as JSON: this floor knows neither."""

from dataclasses import dataclass
from typing import Literal

from core.records import Command


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """Wait after the present step."""


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Go on."""


@dataclass(frozen=True, slots=True)
class Step(Command):
    """Do `n` steps, epochs, or phases of one step (forward, loss, backward, update), then wait."""

    n: int = 1
    unit: Literal["phase", "step", "epoch"] = "step"


@dataclass(frozen=True, slots=True)
class Stop(Command):
    """End now and keep the result."""


@dataclass(frozen=True, slots=True)
class SetSpeed(Command):
    """Make at most so many steps per second; 0 for as many as can be. It changes no number of the run."""

    steps_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SetHyper(Command):
    """Change one number of a lane, checked against its bounds.

    `name` is a field of its optimizer (`lr`), or kind and field of one of its regularizers (`clip_norm.limit`).
    """

    lane: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SwapOptimizer(Command):
    """Go on with another optimizer, whose state starts empty."""

    lane: int
    optimizer: str
    """An AnyOptimizer as JSON."""


@dataclass(frozen=True, slots=True)
class AddLane(Command):
    """Let one more lane join: from the initial weights, catching up, or as a copy of lane `source` as it is now."""

    definition: str
    """A Lane as JSON."""
    source: int = -1
    """The lane to fork; -1 to start from the initial weights."""


@dataclass(frozen=True, slots=True)
class RemoveLane(Command):
    """Train a lane no longer; its curve stays. Numbers of lanes do not shift."""

    lane: int
