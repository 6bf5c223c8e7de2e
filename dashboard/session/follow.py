"""One follower per run and server: it reads the store once for all viewers and keeps what they share, already encoded.

A viewer has a cursor and asks for the next message after it, so a slow viewer delays nobody and nothing piles up: when it
comes back it gets everything since in one go, and of the decision surfaces only the latest.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial

from core.errors import StoreError
from core.events import Diagnosed, Event, LaneAdded, LaneRemoved, PhaseDone, Planned, Started, SurfaceMeasured
from core.history import History
from core.jobs.queue_client import QueuePlace
from core.jobs.resuming import ENDED_EARLY
from core.store.protocol import LoggedEvent, RunReader, RunRecord
from core.types import UNFINISHED
from dashboard.session import live_frames
from dashboard.session.cursor import Cursor
from dashboard.session.hub import Hub
from dashboard.session.hurry import is_hurried
from dashboard.session.queue_places import Places, place_in_order

log = logging.getLogger(__name__)

FASTEST_S = 0.1
SLOWEST_S = 0.5
TICK_PER_VIEWER_S = 1 / 60  # 30 viewers on this server, of one run or of thirty: two updates a second each
RETRY_S = 1.0
REST_S = 1.0
"""Between two looks at a run that has ended but may be resumed."""
PAGE = 10_000


class UnknownRun(Exception):
    """The store has no run with this id (any more)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look into the store. `record` is None when the run is gone."""

    record: RunRecord | None
    events: tuple[LoggedEvent, ...] = ()
    place: QueuePlace | None = None


class Follower:
    """Follows one run for all its viewers. All methods belong to the event loop; only the store is read in a thread."""

    def __init__(
        self, run: str, reader: RunReader, n_present: Callable[[], int] | None = None, places: Places | None = None
    ) -> None:
        """`n_present` counts the viewers of all runs of this server; without it those of this run count. `places` tells where a
        waiting run stands in the queue; without it the store's order does."""
        self.run = run
        self.n_viewers = 0
        self._n_patient = 0
        self._reader = reader
        self._place = places or partial(place_in_order, reader)
        self._n_present = n_present or (lambda: self.n_viewers)
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._cache: dict[Cursor, tuple[bytes, Cursor]] = {}
        self._record: RunRecord | None = None
        self._status = b""
        self._status_version = 0
        self._is_loaded = False
        self._forget(generation=-1)

    def _forget(self, generation: int) -> None:
        self.history = History()
        self.generation = generation
        self._seq = 0
        self._hello_version = 0
        self._surface_version = 0
        self._surface_versions: dict[int, int] = {}
        self._phases_version = 0
        self._findings_version = 0

    @property
    def is_over(self) -> bool:
        """Nothing more will happen."""
        return self._record is not None and self._record.state not in UNFINISHED

    @property
    def may_go_on(self) -> bool:
        """Somebody may resume it."""
        return self._record is not None and self._record.state in ENDED_EARLY

    async def messages(self, *, since: int = 0, generation: int = -1, is_patient: bool = False) -> AsyncIterator[bytes]:
        """Messages for one viewer that has the steps up to `since` of `generation`; ends when the run is over and all was sent.

        Args:
            is_patient: wait on while the run has ended but may still be resumed.

        Raises:
            UnknownRun: there is no such run.
            StoreError: the store cannot be read at all.
        """
        self.n_viewers += 1
        self._n_patient += is_patient
        try:
            if self._task is None or self._task.done():
                self._is_loaded = False
                self._task = asyncio.create_task(self._follow(), name=f"follow {self.run}")
            while not self._is_loaded:
                await self._next_tick()
            cursor = self._cursor(since, generation)
            while True:
                message, cursor = self._message(cursor)
                if message:
                    yield message
                elif self.is_over and not (is_patient and self.may_go_on):
                    return
                else:
                    await self._next_tick()
        finally:
            self.n_viewers -= 1
            self._n_patient -= is_patient

    def _cursor(self, since: int, generation: int) -> Cursor:
        """Where a returning viewer goes on. Measurements of the step itself are sent again: they may have come after it."""
        if generation != self.generation:
            return Cursor(generation=generation)
        history = self.history
        step = max(0, min(since, history.step))
        return Cursor(generation, step=step, reports=history.reports.after(step - 1), measured=history.measured.after(step - 1))

    async def _next_tick(self) -> None:
        task = self._task
        if task is None or task.done():
            if task is not None:
                task.result()  # raises what ended it
            self._task = asyncio.create_task(self._follow(), name=f"follow {self.run}")
        await self._changed.wait()

    def _wake(self) -> None:
        self._cache.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    async def _follow(self) -> None:
        """Look into the store again and again while anybody watches."""
        try:
            while self.n_viewers:
                began = time.monotonic()
                wait = min(SLOWEST_S, max(FASTEST_S, self._n_present() * TICK_PER_VIEWER_S))
                try:
                    if await self._tick():
                        self._wake()
                except StoreError as error:
                    if not self._is_loaded:
                        raise
                    log.warning("Run %s cannot be read: %s Trying again.", self.run, error)
                    wait = RETRY_S
                if self.is_over:
                    if not (self._n_patient and self.may_go_on):
                        return
                    wait = REST_S
                await self._rest(max(FASTEST_S / 2, began + wait - time.monotonic()))  # the look itself takes time too
        finally:
            self._wake()

    async def _rest(self, seconds: float) -> None:
        """Wait, but not for longer than FASTEST_S while the run is looked at often."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, FASTEST_S))
            if is_hurried(self.run):
                return

    async def _tick(self) -> bool:
        """Take in what is new. True when viewers have something to hear."""
        is_new = not self._is_loaded
        while True:
            reading = await asyncio.to_thread(self._read, self.generation, self._seq)
            if reading is None:
                return is_new and self._is_loaded
            if reading.record is None:
                raise UnknownRun(self.run)
            is_new |= self._take_in(reading, reading.record)
            if len(reading.events) < PAGE:
                break
        self._is_loaded = True
        return is_new

    def _read(self, generation: int, seq: int) -> Reading | None:
        """A consistent look: None when the log was rewound between two queries. Runs in a thread."""
        record = self._reader.run(self.run)
        if record is None:
            return Reading(None)
        events = self._reader.events(self.run, seq if record.generation == generation else 0, PAGE)
        if events:
            again = self._reader.run(self.run)
            if again is None or again.generation != record.generation:
                return None
        waiting = self._place(self.run) if record.state == "queued" else None
        return Reading(record, events, waiting)

    def _take_in(self, reading: Reading, record: RunRecord) -> bool:
        if record.generation != self.generation:
            self._forget(record.generation)
        self._record = record
        for logged in reading.events:
            self.history.append(logged.event)
            self._seq = logged.seq
            self._count(logged.event)
        status = live_frames.status(record, self.history, reading.place)
        is_status_new = status != self._status
        if is_status_new:
            self._status = status
            self._status_version += 1
        return bool(reading.events) or is_status_new

    def _count(self, event: Event) -> None:
        """Note which of the things that are only replaced are new."""
        match event:
            case SurfaceMeasured():
                self._surface_version += 1
                self._surface_versions[event.series] = self._surface_version
            case Started() | Planned() | LaneAdded() | LaneRemoved():
                self._hello_version += 1
            case PhaseDone():
                self._phases_version += 1
            case Diagnosed():
                self._findings_version += 1

    def _message(self, cursor: Cursor) -> tuple[bytes, Cursor]:
        """What comes after `cursor`, and the cursor after it; empty when there is nothing. Viewers at one place share it."""
        if cursor not in self._cache:
            self._cache[cursor] = self._encoded(cursor)
        return self._cache[cursor]

    def _encoded(self, cursor: Cursor) -> tuple[bytes, Cursor]:
        parts, at = list[bytes](), cursor
        if at.generation != self.generation:
            if at.generation >= 0:
                parts.append(live_frames.reset(self.generation))
            at = Cursor(self.generation)
        if at.hello < self._hello_version and self._record is not None:
            parts.append(live_frames.hello(self._record, self.history))
            at = replace(at, hello=self._hello_version)
        at = self._add_notes(parts, self._add_curves(parts, at))
        versions = self._surface_versions.items()
        parts += [live_frames.surface(self.history.surfaces[series]) for series, version in versions if version > at.surface]
        if at.status < self._status_version:
            parts.append(self._status)
        return b"".join(parts), replace(at, surface=self._surface_version, status=self._status_version)

    def _add_curves(self, parts: list[bytes], at: Cursor) -> Cursor:
        """Add what grows with the run, and what has become known of its past, and move the cursor past it."""
        history = self.history
        if at.step < history.step:
            data, step = live_frames.steps(history, at.step)
            parts.append(data)
            at = replace(at, step=step)
        if at.reports < len(history.reports):
            parts.append(live_frames.reports(history, at.reports))
        if at.measured < len(history.measured):
            parts.append(live_frames.measured(history, at.measured))
        if at.epochs < len(history.epochs):
            parts.append(live_frames.epochs(history.epochs[at.epochs :]))
        if at.filled < len(history.filled):
            parts += live_frames.past(history, history.filled[at.filled :], at.step)
        return replace(
            at,
            reports=len(history.reports),
            measured=len(history.measured),
            epochs=len(history.epochs),
            filled=len(history.filled),
        )

    def _add_notes(self, parts: list[bytes], at: Cursor) -> Cursor:
        """Add what is said beside the curves: marks, phases of a step by hand, findings of the doctor."""
        history = self.history
        if at.marks < len(history.changes):
            parts.append(live_frames.marks(history.changes))
        if at.phases < self._phases_version:
            parts.append(live_frames.phases(history.phases))
        if at.findings < self._findings_version:
            parts.append(live_frames.findings(history.findings))
        return replace(at, marks=len(history.changes), phases=self._phases_version, findings=self._findings_version)


class FollowerHub(Hub[Follower]):
    """The followers of the runs of one server. They slow down with all its viewers."""

    def __init__(self, reader: RunReader, places: Places | None = None) -> None:
        super().__init__(lambda run: Follower(run, reader, self.n_viewers, places))
