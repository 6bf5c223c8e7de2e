"""What a worker may read of another run: its row, its log, its artifacts. It never writes."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from core.errors import SpecError
from core.events import Event
from core.history import History
from core.settings import Settings
from core.store.protocol import ArtifactRecord, LoggedEvent, RunReader, RunRecord

PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run up to one event: its row, its events in order, and the artifacts that are still kept."""

    record: RunRecord
    events: tuple[LoggedEvent, ...]
    artifacts: tuple[ArtifactRecord, ...]

    def history(self) -> History:
        """The events, folded."""
        return folded(logged.event for logged in self.events)

    def step_of(self, name: str) -> int:
        """The step of an artifact; 0 where there is none of this name, as for initial weights."""
        return next((one.step for one in self.artifacts if one.name == name), 0)


def recorded(run: str, last_seq: int, settings: Settings) -> Recorded:
    """The run up to its event `last_seq`.

    Raises:
        SpecError: there is no such run here.
    """
    from core.store.sql import SqlReader

    with closing(SqlReader(settings.home / "runs.db")) as reader:
        return read(reader, run, last_seq)


def read(reader: RunReader, run: str, last_seq: int) -> Recorded:
    """As `recorded`, from a reader at hand."""
    record = reader.run(run)
    if record is None:
        raise SpecError("There is no such run.", hint="It may have been deleted: choose another one.")
    events: list[LoggedEvent] = []
    while page := reader.events(run, events[-1].seq if events else 0, PAGE):
        events += [logged for logged in page if logged.seq <= last_seq]
        if page[-1].seq >= last_seq:
            break
    kept = tuple(one for one in reader.artifacts(run) if one.seq <= last_seq)
    return Recorded(record, tuple(events), kept)


def folded(events: Iterable[Event]) -> History:
    """A history of these events."""
    history = History()
    for event in events:
        history.append(event)
    return history
