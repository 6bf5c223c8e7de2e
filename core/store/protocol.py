"""What a store promises. One process writes (the supervisor); any number read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.events import Event
from core.run_curve import RunCurve
from core.run_row import Fact, RunRow
from core.store.rooms import Member, Room
from core.store.sizes import EndedRun
from core.store.usage import Usage
from core.types import RunState


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of a run. Times in seconds since the epoch; `generation` rises each time its log was rewound or restarted."""

    id: str
    """Unguessable; it is the capability to see the run."""
    kind: str
    """The kind of its job: "train", "activations", "explain", ..."""
    owner: str
    name: str
    state: RunState
    reason: str
    job: str
    """The job as JSON text."""
    key: str
    """SHA-256 of the job: equal keys ask for the same thing."""
    attempt: int
    generation: int
    last_seq: int
    last_step: int
    created: float
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One row of an artifact; the file is there before the row."""

    run: str
    name: str
    kind: str
    step: int
    seq: int
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event at its place in a run's log; `seq` rises by one and starts at 1."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True)
class Summary:
    """What the supervisor has folded a run's job and events into, for its line in the table."""

    parent: str
    parent_step: int
    facts: Mapping[str, Fact]
    figures: Mapping[str, float]


class RunReader(Protocol):
    """What the front and the lenses may ask. Reads see only committed data."""

    def run(self, run: str) -> RunRecord | None:
        """The run with this id, or None."""

    def runs(self, *, owner: str | None = None, kind: str | None = None, limit: int = 100) -> tuple[RunRecord, ...]:
        """Newest first."""

    def by_key(self, key: str) -> RunRecord | None:
        """The newest run with this job key that is not failed, stopped or interrupted."""

    def queue_position(self, run: str) -> int | None:
        """0 for the next to start; None when it does not wait."""

    def events(self, run: str, after: int = 0, limit: int = 10_000, *, name: str | None = None) -> tuple[LoggedEvent, ...]:
        """Events with `seq > after`, in order; only those of one name where it is given."""

    def artifacts(self, run: str, kind: str | None = None) -> tuple[ArtifactRecord, ...]:
        """In order of `seq`."""

    def rows(self, *, owner: str | None = None, with_deleted: bool = False, limit: int = 10_000) -> tuple[RunRow, ...]:
        """The runs that are kept (of the queue for training), newest first: the table of runs. With an owner: those of this
        space and of nobody in particular."""

    def rows_of(self, runs: Collection[str]) -> dict[str, RunRow]:
        """The lines of at most 500 kept runs in that table, by run; those that are not there, or deleted, are left out."""

    def curves(self, runs: Collection[str]) -> dict[str, RunCurve]:
        """Thinned curves by run; those that have none are left out."""

    def stored_bytes(self, owner: str | None = None) -> int:
        """Bytes of artifacts and logs of all runs, or of one owner's."""

    def n_runs(self) -> int:
        """All runs, lens jobs included."""

    def queue_bytes(self, *, priority: int) -> int:
        """Bytes of artifacts and logs of the runs of one queue."""

    def ended_runs(self, limit: int, *, priority: int) -> tuple[EndedRun, ...]:
        """Ended runs of one queue with what they take on the disk, those that ended first coming first."""

    def runs_beyond(self, n_bytes: int, *, priority: int, limit: int) -> tuple[str, ...]:
        """Ids of the ended runs of one queue for which the newer ones leave no room in so many bytes, oldest first. The
        newest one is never among them."""

    def in_states(self, states: Collection[str]) -> tuple[RunRecord, ...]:
        """Runs in one of these states, oldest first."""

    def usage(self, owner: str, *, without: str = "") -> Usage:
        """What a visitor has in the store; the run `without` is not counted."""

    def room(self, room: str) -> Room | None:
        """The room with this id; None where there is none (any more)."""

    def room_seq(self, room: str) -> int | None:
        """Its `seq` alone: what a follower asks several times a second."""

    def members(self, room: str) -> tuple[Member, ...]:
        """Who is in a room, in the order in which they joined."""


class RunWriter(RunReader, Protocol):
    """What only the supervisor may do. Everything between `begin` and `commit` becomes visible at once."""

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def create(self, record: RunRecord) -> None: ...

    def update(self, run: str, **columns: object) -> None:
        """Set some columns of a run's row."""

    def append(self, run: str, events: Sequence[LoggedEvent]) -> None: ...

    def add_artifact(self, record: ArtifactRecord) -> None: ...

    def rewind(self, run: str, seq: int) -> None:
        """Forget events and artifact rows with a greater seq, and raise the generation."""

    def forget_artifacts(self, run: str, names: Sequence[str]) -> None: ...

    def summarise(self, run: str, summary: Summary, curve: RunCurve | None) -> None:
        """Put a run's summary in place of an older one, and its curve where there is one. `rewind` forgets both."""

    def unsummarised(self, limit: int) -> tuple[str, ...]:
        """Ids of kept runs without a summary of the present form, newest first."""

    def say(self, run: str, **columns: object) -> None:
        """Set what people say of a run: name, tags (JSON of a list), note; or deleted, when it was."""

    def tags(self, runs: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Tags by run; those that have none are left out."""

    def shrink(self, most_pages: int) -> bool:
        """Give some room back to the disk where much is free; whether there is more of it."""

    def to_sweep(self, deleted_before: float, limit: int) -> tuple[str, ...]:
        """Ids of runs that were deleted before this time, oldest first."""

    def log(self, run: str, names: Collection[str], after: int, limit: int) -> tuple[LoggedEvent, ...]:
        """Events of these names with `seq > after`, in order."""

    def carry(self, run: str) -> str:
        """What the supervisor noted for a run's next attempt by `update(run, carry=...)`."""

    def queue(self, *, priority: int) -> tuple[str, ...]:
        """Ids of the waiting runs of one queue (0 for lens jobs, 1 for training), next one first: of the owner with the
        fewest recent starts, then first come first served."""

    def last_event(self, run: str, name: str) -> Event | None:
        """The newest event of one name, or None."""

    def old_runs(self, *, priority: int, keep: int, limit: int) -> tuple[str, ...]:
        """Ids of ended runs of one queue, without the newest `keep`; at most `limit` of them."""

    def forget_runs(self, runs: Sequence[str]) -> None:
        """Forget runs with their events and artifact rows. Their files are the caller's to remove, after the commit."""

    def open_room(self, room: Room) -> None: ...

    def show_in_room(self, room: str, state: str, at: float) -> None:
        """Put another state in place of the present one; `seq` rises."""

    def rename_room(self, room: str, name: str) -> None: ...

    def close_room(self, room: str) -> None:
        """Forget the room and who was in it; their runs stay theirs."""

    def put_member(self, member: Member) -> None:
        """A second one of this space replaces the first."""

    def forget_member(self, room: str, owner: str) -> None: ...

    def rooms_of(self, owner: str) -> tuple[str, ...]:
        """Ids of the rooms of a space, the one that was used last first."""

    def n_rooms(self) -> int: ...

    def old_rooms(self, before: float, limit: int) -> tuple[str, ...]:
        """Ids of rooms in which nothing was shown since then, oldest first."""
