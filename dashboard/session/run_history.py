"""The history of a run for page scripts: folded once per server and kept, so that a look takes in only what is new.

Without decision surfaces and statistics: the followers stream those. Scripts run in threads, so that a history is only
lent: `asked` answers a question about it while nobody else changes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TypeVar

from core.history import History
from core.store.protocol import LoggedEvent, RunReader, RunRecord
from dashboard.session import resources

T = TypeVar("T")
PAGE = 10_000
MAX_KEPT = 8
NAMES = (
    *("Started", "Planned", "StepsDone", "EpochDone", "Finished", "Failed"),
    *("LaneAdded", "LaneRemoved", "LaneStepsDone", "LaneEpochDone", "HyperChanged", "OptimizerSwapped"),
)


@dataclass(slots=True)
class _Fold:
    """A history up to event `seq` of one generation of a log."""

    lock: Lock = field(default_factory=Lock)
    history: History = field(default_factory=History)
    generation: int = -1
    seq: int = 0

    def take_in(self, record: RunRecord) -> None:
        """Go on to the last event that the record knows; a log that was rewound is read from its start."""
        if record.generation != self.generation:
            self.history, self.generation, self.seq = History(), record.generation, 0
        new = [logged for name in NAMES for logged in _between(record.id, self.seq, record.last_seq, name)]
        for logged in sorted(new, key=lambda logged: logged.seq):
            self.history.append(logged.event)
        self.seq = max(self.seq, record.last_seq)


@lru_cache(maxsize=MAX_KEPT)
def _kept(reader: RunReader, run: str) -> _Fold:
    return _Fold()


def _between(run: str, after: int, last: int, name: str) -> list[LoggedEvent]:
    """The events of one name with `after < seq <= last`."""
    found: list[LoggedEvent] = []
    while after < last:
        page = resources.reader().events(run, after, PAGE, name=name)
        found += [logged for logged in page if logged.seq <= last]
        if len(page) < PAGE:
            break
        after = page[-1].seq
    return found


def asked(record: RunRecord, question: Callable[[History], T]) -> T:
    """What `question` answers about the run's history as of now. It must not keep the history."""
    kept = _kept(resources.reader(), record.id)
    with kept.lock:
        kept.take_in(record)
        return question(kept.history)
