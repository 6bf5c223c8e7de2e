"""What happened (events), and the record codec of events and commands.

A stream yields events and artifacts and ends with exactly one `Finished` or `Failed`. Tuples named per lane have one
entry per series, lane-major: lane 0 repeat 0, lane 0 repeat 1, lane 1 repeat 0, ...
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from core.commands import AddLane as AddLane
from core.commands import Pause as Pause
from core.commands import RemoveLane as RemoveLane
from core.commands import Resume as Resume
from core.commands import SetHyper as SetHyper
from core.commands import SetSpeed as SetSpeed
from core.commands import Step as Step
from core.commands import Stop as Stop
from core.commands import SwapOptimizer as SwapOptimizer
from core.packed import PACKED, Rows
from core.race_events import Diagnosed as Diagnosed
from core.race_events import LaneAdded as LaneAdded
from core.race_events import LaneEpochDone as LaneEpochDone
from core.race_events import LaneRemoved as LaneRemoved
from core.race_events import LaneStepsDone as LaneStepsDone
from core.race_events import OptimizerSwapped as OptimizerSwapped
from core.race_events import PhaseDone as PhaseDone
from core.race_events import Planned as Planned
from core.race_events import TensorView as TensorView
from core.records import Command as Command
from core.records import Event as Event
from core.records import Record as Record
from core.types import Severity


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The live objects are built, before the first step (or, after a resume, before step `step + 1`)."""

    step: int
    n_parameters: int
    n_train: int
    n_validation: int
    n_test: int
    steps_per_epoch: int
    total_steps: int | None
    device: str
    series: tuple[str, ...]
    """One name per lane and repeat."""
    fingerprint: dict[str, str]
    """Versions, threads and device: equal fingerprints promise bit-identical curves."""
    lanes: tuple[str, ...] = ()
    """One name per lane."""
    repeats: int = 1
    """Seeds per lane."""


@dataclass(frozen=True, slots=True)
class StepsDone(Event):
    """Optimizer steps in a row. `losses[series][i]` is the batch loss of step `first_step + i`, before its update.

    Losses are in the unit of the experiment's loss (nats for cross-entropy).
    """

    first_step: int
    epoch: int
    losses: Rows
    learning_rates: tuple[float, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class StepMeasured(Event):
    """Statistics of one step, taken now and then within a time budget.

    Norms are L2 over all parameters; the gradient's before the update; the batch's accuracy in [0, 1], or its R² for regression
    (NaN where all targets of the batch are equal).
    """

    step: int
    gradient_norms: tuple[float, ...]
    weight_norms: tuple[float, ...]
    batch_accuracies: tuple[float, ...]
    update_norms: tuple[float, ...] = ()
    """Size of the step itself; over the gradient's norm it is the effective learning rate."""


@dataclass(frozen=True, slots=True)
class EpochDone(Event):
    """One pass over the training split, with figures in evaluation mode with the weights after `step`.

    Losses in the unit of the experiment's loss; accuracies in [0, 1], or for regression R², the coefficient of determination
    (1 is perfect, 0 as good as the mean, without a lower end; NaN where all targets are equal). The training figures come
    from a fixed sample of the training split, so that they compare with validation.
    """

    epoch: int
    step: int
    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class SurfaceMeasured(Event):
    """The decision surface on 2-D data after `step`: `side * side` bytes, probability of class 1 times 255.

    For regression the predicted number, cut off at -1 (byte 0) and 1 (byte 255). Row 0 lies at y = -span, column 0 at
    x = -span; the last ones at +span.
    """

    step: int
    series: int
    side: int
    span: float
    values: bytes


@dataclass(frozen=True, slots=True)
class HyperChanged(Event):
    """A hyperparameter of one lane was changed by hand; it holds from step `step + 1` on."""

    step: int
    lane: int
    name: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """The run waits after `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """The run goes on after `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class Progressed(Event):
    """A lens job did `done` of `total` units of work (usually model evaluations)."""

    done: int
    total: int
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """Something the user should know; the run goes on."""

    severity: Severity
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactSaved(Event):
    """A large thing was written to a file, whose row in the store has this name."""

    name: str
    kind: str
    step: int
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WorkerLost(Event):
    """The worker died; the run starts again from its last checkpoint when `retried`."""

    reason: str
    retried: bool


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The stream ended as it should. Test figures, as in `EpochDone`, are there for training runs that have a test split."""

    reason: Literal["completed", "stopped", "target", "time", "patience"]
    """patience: no lane has improved its validation loss for as many epochs as the budget says."""
    step: int
    elapsed_s: float
    test_loss: tuple[float, ...] | None = None
    test_accuracy: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The stream ended early. `code` is stable; message and hint are for a person."""

    code: str
    message: str
    hint: str
    step: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """A large thing on its way out of a stream: the worker writes the file and sends `ArtifactSaved` in its place.

    `kind` is "checkpoint" (safetensors of the whole training state) or "result" (npz of one Result). For a run, `name`
    is unique.
    """

    name: str
    kind: Literal["checkpoint", "result"]
    step: int
    data: bytes


EVENTS: dict[str, type[Event]] = {cls.__name__: cls for cls in Event.__subclasses__()}
COMMANDS: dict[str, type[Command]] = {cls.__name__: cls for cls in Command.__subclasses__()}
_FORMS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in (EVENTS | COMMANDS).items()}


def dump(record: Record) -> str:
    """The fields of an event or command as JSON text, without its name; long rows of numbers packed."""
    return _FORMS[type(record).__name__].dump_json(record, context=PACKED).decode()


def load_event(name: str, text: str | bytes) -> Event:
    """The event whose name and fields these are.

    Raises:
        KeyError: no event has this name.
        pydantic.ValidationError: the fields do not fit.
    """
    if name not in EVENTS:
        raise KeyError(name)
    event: Event = _FORMS[name].validate_json(text)
    return event


def load_command(name: str, text: str | bytes) -> Command:
    """The command whose name and fields these are; errors as in `load_event`."""
    if name not in COMMANDS:
        raise KeyError(name)
    command: Command = _FORMS[name].validate_json(text)
    return command


def line(record: Record) -> str:
    """One line of JSON for a person's pipe: `{"event": "EpochDone", ...}`."""
    key = "event" if isinstance(record, Event) else "command"
    return json.dumps({key: type(record).__name__} | json.loads(_FORMS[type(record).__name__].dump_json(record)))


def load_line(text: str) -> Record:
    """The event or command that `line` wrote.

    Raises:
        ValueError: it is none; KeyError for an unknown name.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("not a record")
    if "event" in fields:
        return load_event(str(fields.pop("event")), json.dumps(fields))
    return load_command(str(fields.pop("command")), json.dumps(fields))


def remade(event: Event) -> tuple[int, Command] | None:
    """What makes a change by hand again: the step after which it holds, and the command. None for other events."""
    match event:
        case HyperChanged():
            return event.step, SetHyper(event.lane, event.name, event.new)
        case OptimizerSwapped():
            return event.step, SwapOptimizer(event.lane, event.new)
        case LaneAdded():
            return event.step, AddLane(event.definition, event.source)
        case LaneRemoved():
            return event.step, RemoveLane(event.lane)
        case _:
            return None
