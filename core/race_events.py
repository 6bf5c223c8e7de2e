"""What happens to the lanes of a run besides their steps: joins, leaves, swaps, phases, findings of the training doctor."""

from dataclasses import dataclass
from typing import Literal

from core.packed import Rows
from core.records import Event
from core.types import Severity


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """How the series are trained from step `step + 1` on, and why: it changes the speed, never the curve."""

    step: int
    executors: tuple[str, ...]
    """One name per series: reference, fast, batched, processes or captured."""
    reason: str


@dataclass(frozen=True, slots=True)
class OptimizerSwapped(Event):
    """A lane goes on with another optimizer from step `step + 1` on. Both as JSON of AnyOptimizer."""

    step: int
    lane: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class LaneAdded(Event):
    """One more lane, behind all others. From the initial weights (source -1): its steps up to `step` follow.

    As a copy of lane `source` its past is the source's.
    """

    step: int
    lane: int
    source: int
    definition: str
    """The Lane as JSON."""
    name: str
    series: tuple[str, ...]
    """Names of its series, one per repeat."""


@dataclass(frozen=True, slots=True)
class LaneStepsDone(Event):
    """Steps in a row of a lane that catches up; `losses[repeat][i]` is the batch loss of step `first_step + i`."""

    lane: int
    first_step: int
    losses: Rows


@dataclass(frozen=True, slots=True)
class LaneEpochDone(Event):
    """Figures as in `EpochDone` of a lane that catches up, one per repeat."""

    lane: int
    epoch: int
    step: int
    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LaneRemoved(Event):
    """A lane is not trained after `step`. Its series stay in every tuple, as NaN."""

    step: int
    lane: int


@dataclass(frozen=True, slots=True)
class TensorView:
    """A look at one tensor: its whole shape and statistics, and its first values (float32, little-endian, at most 1,024)."""

    name: str
    shape: tuple[int, ...]
    low: float
    high: float
    mean: float
    norm: float
    values: bytes


@dataclass(frozen=True, slots=True)
class PhaseDone(Event):
    """One phase of step `step` of series 0, made by hand: what happened in one line, and the tensors of it."""

    step: int
    phase: Literal["forward", "loss", "backward", "update"]
    text: str
    tensors: tuple[TensorView, ...]


@dataclass(frozen=True, slots=True)
class Diagnosed(Event):
    """The training doctor saw something after `step`; each code is told once per series until it is over.

    At most one of `command` (a Command as its JSON line) and `experiment` (a changed Experiment as JSON) says what one click
    can do; `action` is what the button says.
    """

    step: int
    series: int
    code: str
    severity: Severity
    message: str
    hint: str
    layer: str = ""
    action: str = ""
    command: str = ""
    experiment: str = ""
