"""What people do with the runs that are kept: name, tag and annotate them, delete them and bring them back."""

import json
import time
from collections.abc import Callable, Iterable

from core.errors import SpecError
from core.jobs.pool.clearing import Clearing
from core.jobs.pool.control import Answer
from core.jobs.pool.ownership import check_may_change, is_theirs
from core.run_row import MAX_NAME, MAX_NOTE, MAX_TAG, MAX_TAGS
from core.settings import Settings
from core.store.protocol import RunRecord, RunWriter
from core.types import UNFINISHED

MAX_RUNS = 2000
"""In one request."""
MAX_BINNED = 20_000
SWEEP_S = 30.0
SWEPT_AT_ONCE = 20
DAY_S = 86_400.0
NOW = 0.0
"""Deleted so long ago that it goes at the next sweep."""


class Library:
    """Answers requests about kept runs. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._swept = -SWEEP_S
        self._clearing = Clearing(store, settings, self._needed)
        self.asks: dict[str, Callable[[Answer], Answer]] = {
            "annotate": self._annotate,
            "tag": self._tag,
            "delete": self._delete,
            "restore": self._restore,
            "empty_bin": self._empty_bin,
        }

    def swept(self) -> tuple[str, ...]:
        """Forget a few runs that were deleted long ago, or are beyond the bounds of the store; the ids of those whose files
        go after the commit."""
        return self._clearing.cleared() + self._out_of_the_bin()

    def _out_of_the_bin(self) -> tuple[str, ...]:
        now = time.monotonic()
        if now - self._swept < SWEEP_S:
            return ()
        old = self._store.to_sweep(time.time() - self._settings.bin_days * DAY_S, MAX_RUNS)
        needed = self._needed() if old else ""
        gone = [run for run in old if run not in needed][:SWEPT_AT_ONCE]
        self._swept = now if len(gone) < SWEPT_AT_ONCE else -SWEEP_S
        self._store.forget_runs(gone)
        return tuple(gone)

    def _annotate(self, request: Answer) -> Answer:
        """Name, note and tags, those that are given; a name that is empty gives the run its first one back."""
        (record,) = self._own(request, _texts(request, "runs", 1))
        columns: dict[str, object] = {}
        if "name" in request:
            columns["name"] = plain(_text(request, "name"), MAX_NAME) or None
        if "note" in request:
            columns["note"] = plain(_text(request, "note"), MAX_NOTE, keep="\n")
        if "tags" in request:
            columns["tags"] = json.dumps(_tags(_texts(request, "tags", MAX_TAGS)))
        if columns:
            self._store.say(record.id, **columns)
        return {}

    def _tag(self, request: Answer) -> Answer:
        """Add tags to many runs, and take others away."""
        added, removed = _tags(_texts(request, "add", MAX_TAGS)), _tags(_texts(request, "remove", MAX_TAGS))
        records = self._own(request, _texts(request, "runs", MAX_RUNS))
        present = self._store.tags([record.id for record in records])
        for record in records:
            tags = _tags([*(tag for tag in present.get(record.id, ()) if tag not in removed), *added])
            self._store.say(record.id, tags=json.dumps(tags))
        return {}

    def _delete(self, request: Answer) -> Answer:
        """Put runs into the bin; what cannot go there yet stays, and is told."""
        records = self._own(request, _texts(request, "runs", MAX_RUNS))
        running = [record.id for record in records if record.state in UNFINISHED]
        if running and len(records) == 1:
            raise SpecError("This run has not ended, so it cannot be deleted.", hint="Stop it first.")
        gone = [record.id for record in records if record.id not in running]
        for run in gone:
            self._store.say(run, deleted=time.time())
        return {"deleted": gone, "unfinished": running}

    def _restore(self, request: Answer) -> Answer:
        for record in self._own(request, _texts(request, "runs", MAX_RUNS)):
            self._store.say(record.id, deleted=None)
        return {}

    def _empty_bin(self, request: Answer) -> Answer:
        """Sweep away what this visitor has in the bin; what an unfinished run needs stays there until it has ended."""
        needed = self._needed()
        found = [self._store.run(run) for run in self._store.to_sweep(time.time(), MAX_BINNED)]
        binned = [one.id for one in found if one is not None and is_theirs(one.owner, request)]
        gone = [run for run in binned if run not in needed]
        for run in gone:
            self._store.say(run, deleted=NOW)
        self._swept = -SWEEP_S
        return {"swept": gone, "needed": [run for run in binned if run in needed]}

    def _needed(self) -> str:
        """What unfinished runs were asked to do, as one text: the ids of the runs whose checkpoints they need are in it."""
        return "\n".join(record.job for record in self._store.in_states(UNFINISHED))

    def revive(self, run: str) -> None:
        """Out of the bin again, where it is there, and not cleared up: somebody has just asked for what it has."""
        self._clearing.spare(run)
        if any(one == run for one in self._store.to_sweep(time.time(), MAX_RUNS)):
            self._store.say(run, deleted=None)

    def _own(self, request: Answer, runs: Iterable[str]) -> list[RunRecord]:
        """The records of these runs, all of which the request may change.

        Raises:
            SpecError: there is none of this id, or it is somebody else's (NotYours).
        """
        records = [self._known(run) for run in runs]
        for record in records:
            check_may_change(record, request)
        return records

    def _known(self, run: str) -> RunRecord:
        record = self._store.run(run)
        if record is None:
            raise SpecError("There is no such run.", hint="Look at the table again: it may have been swept away.")
        return record


def plain(text: str, most: int, keep: str = "") -> str:
    """Text as it may be shown: no control characters, no change of direction, not too long."""
    return "".join(letter for letter in text if letter.isprintable() or letter in keep)[:most].strip()


def _tags(given: Iterable[str]) -> list[str]:
    """Each once, in order, without commas, which part them on the screen.

    Raises:
        SpecError: there are too many.
    """
    found = list(dict.fromkeys(tag for one in given if (tag := plain(one.replace(",", " "), MAX_TAG))))
    if len(found) > MAX_TAGS:
        raise SpecError(f"A run has at most {MAX_TAGS} tags.", hint="Remove one first.")
    return found


def _text(request: Answer, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise SpecError(f"{name}: this must be text.", hint=f"Change {name}.")
    return value


def _texts(request: Answer, name: str, most: int) -> list[str]:
    values = request.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise SpecError(f"{name}: this must be a list of texts.", hint=f"Change {name}.")
    if len(values) > most or (name == "runs" and not values):
        raise SpecError(f"{name}: there are {len(values)}, and 1 to {most} are possible.", hint="Choose fewer.")
    return values
