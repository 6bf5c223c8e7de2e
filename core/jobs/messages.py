"""What supervisor and worker say to each other over their pipe, as JSON bytes. Nothing here can run code, as a pickle could."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from core.events import Command, Event, StepsDone, dump, load_command, load_event
from core.store.protocol import LoggedEvent


class Message:
    """Base of all messages."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", ser_json_inf_nan="strings")


@dataclass(frozen=True, slots=True)
class Change:
    """A change by hand, to hold from step `step + 1` on: the command that makes it, by name and fields as JSON."""

    step: int
    command: str
    fields: str

    @classmethod
    def of(cls, step: int, command: Command) -> "Change":
        """The change that `command` makes after `step`."""
        return cls(step, type(command).__name__, dump(command))

    def replayed(self) -> tuple[int, Command]:
        """The form in which a job takes it."""
        return self.step, load_command(self.command, self.fields)


@dataclass(frozen=True, slots=True)
class Carry:
    """What the next attempt of a run must take over besides its checkpoint. Kept in the run's row."""

    changes: tuple[Change, ...] = ()
    pause_at: int | None = None
    """The step after which the run was paused."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where an attempt goes on from."""

    name: str
    sha256: str
    step: int


@dataclass(frozen=True, slots=True)
class Assignment(Message):
    """Supervisor to worker: do this job; its first event gets `seq + 1`."""

    run: str
    job: str
    seq: int
    checkpoint: Checkpoint | None
    carry: Carry


@dataclass(frozen=True, slots=True)
class Ordered(Message):
    """Supervisor to worker: a command for a run."""

    run: str
    name: str
    data: str


@dataclass(frozen=True, slots=True)
class Batch(Message):
    """Worker to supervisor: events in a row, as (seq, name, fields as JSON)."""

    run: str
    rows: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Stopping(Message):
    """Worker to supervisor: the job has heard Stop and is about to end."""

    run: str


@dataclass(frozen=True, slots=True)
class Ready(Message):
    """Worker to supervisor: warm, and without a job."""


_MESSAGES: dict[str, type[Message]] = {cls.__name__: cls for cls in (Assignment, Ordered, Batch, Stopping, Ready)}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in _MESSAGES.items()}
_CARRY = TypeAdapter(Carry)


def encode(message: Message) -> bytes:
    """The message as bytes: its name, a newline, its fields as JSON."""
    name = type(message).__name__
    return name.encode() + b"\n" + _ADAPTERS[name].dump_json(message)


def decode(data: bytes) -> Message:
    """The message that `encode` made these bytes of.

    Raises:
        ValueError: they are no message (KeyError for an unknown name).
    """
    name, _, fields = data.partition(b"\n")
    message: Message = _ADAPTERS[name.decode()].validate_json(fields)
    return message


def carry_text(carry: Carry) -> str:
    """The form that is kept in a run's row."""
    return _CARRY.dump_json(carry).decode()


def parse_carry(text: str) -> Carry:
    """The other way; empty text is an empty Carry."""
    return _CARRY.validate_json(text) if text else Carry()


def batch_row(seq: int, event: Event) -> tuple[int, str, str]:
    """One event on its way to the supervisor."""
    return seq, type(event).__name__, dump(event)


def logged_events(batch: Batch) -> tuple[LoggedEvent, ...]:
    """The events of a batch, checked; errors as in `load_event`."""
    return tuple(LoggedEvent(seq, load_event(name, data)) for seq, name, data in batch.rows)


def ordered(run: str, command: Command) -> Ordered:
    """A command on its way to a worker."""
    return Ordered(run, type(command).__name__, dump(command))


def command_of(order: Ordered) -> Command:
    """The command that was ordered; errors as in `load_command`."""
    return load_command(order.name, order.data)


def step_after(event: Event, step: int) -> int:
    """The last step a run is known to have done once `event` happened; `step` is what was known before."""
    if isinstance(event, StepsDone):
        return event.first_step + len(event.losses[0]) - 1
    return max(step, int(getattr(event, "step", 0)))
