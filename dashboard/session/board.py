"""The board of a room: one look into the store per tick for all its viewers, told in frames that they share.

A viewer has a cursor, the version of what it has got; who is slow or comes late gets everything since in one message. Only
runs that have changed are read and sent again.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from core.errors import StoreError
from core.run_curve import RunCurve, thinned
from core.run_row import RunRow
from core.store.rooms import Member, Room
from dashboard.session.frames import frame
from dashboard.session.hub import Hub
from dashboard.session.room_follow import UnknownRoom

log = logging.getLogger(__name__)

TICK_S = 1.0
RETRY_S = 2.0
MAX_SHOWN = 40
"""Participants on the board; of more, those who came first and have a run."""
MAX_POINTS = 150
"""Of a curve: many lines share a chart."""
FIGURES = (
    *("train_loss", "validation_loss", "validation_accuracy", "best_validation_loss", "best_validation_accuracy"),
    *("test_loss", "test_accuracy", "steps", "epochs", "seconds"),
)


class BoardReader(Protocol):
    """What is needed of the store."""

    def room(self, room: str) -> Room | None: ...

    def members(self, room: str) -> tuple[Member, ...]: ...

    def rows_of(self, runs: Collection[str]) -> dict[str, RunRow]: ...

    def curves(self, runs: Collection[str]) -> dict[str, RunCurve]: ...


def member_key(room: str, owner: str) -> str:
    """How a participant is called in messages: the same on every look, and of no use elsewhere."""
    return hashlib.sha256(f"layerwise board {room} {owner}".encode()).hexdigest()[:16]


def shown(members: Sequence[Member]) -> tuple[Member, ...]:
    """Who is on the board, in the order in which they joined."""
    chosen = sorted(members, key=lambda member: not member.run)[:MAX_SHOWN]
    return tuple(member for member in members if member in chosen)


def line(member: Member, row: RunRow | None) -> dict[str, Any]:
    """A participant as the table shows one: plain numbers, and texts as they were written."""
    found: dict[str, Any] = {"key": member_key(member.room, member.owner), "name": member.name, "run": "", "state": ""}
    if row is None:
        return found
    facts = row.facts
    return found | {
        "run": row.id,
        "state": row.state,
        "lr": _number(facts.get("lr")),
        "batch_size": facts.get("batch_size"),
        "optimizer": facts.get("optimizer", ""),
        "data": facts.get("data", ""),
        "model": facts.get("model", ""),
        "loss": facts.get("loss", ""),
        "lanes": facts.get("lanes"),
        "best_lane": facts.get("best_lane", ""),
        "changes": facts.get("changes", 0),
        "figures": {name: row.figures[name] for name in FIGURES if name in row.figures},
    }


def run_frame(run: str, curve: RunCurve) -> bytes:
    """A run's curve, thinned: batch losses by `step` and `seconds`; figures (4, m) by `epoch`, with steps and seconds."""
    some, ends = thinned(len(curve.steps), MAX_POINTS), thinned(len(curve.epochs), MAX_POINTS)
    arrays = {
        "step": ("i4", curve.steps[some]),
        "seconds": ("f4", curve.seconds[some]),
        "batch_loss": ("f4", _single(curve.losses[some])),
        "epoch": ("i4", curve.epochs[ends]),
        "epoch_step": ("i4", curve.epoch_steps[ends]),
        "epoch_seconds": ("f4", curve.epoch_seconds[ends]),
        "figures": ("f4", _single(curve.figures[:, ends])),
    }
    return frame("run", {"run": run, "steps_per_epoch": curve.steps_per_epoch}, arrays)


def _single(values: np.ndarray) -> np.ndarray:
    """As float32; what is too large for it is infinite, without a warning."""
    with np.errstate(over="ignore"):
        return values.astype("<f4")


def _number(fact: object) -> float | None:
    return float(fact) if isinstance(fact, int | float) else None


class Board:
    """One room's board for all its viewers. All methods belong to the event loop; only the store is read in a thread."""

    def __init__(self, room: str, reader: BoardReader) -> None:
        self.room = room
        self.n_viewers = 0
        self.version = 0
        """0 before the first look."""
        self._reader = reader
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._head: tuple[int, bytes] = (0, b"")
        self._rows: Mapping[str, RunRow] = {}
        self._frames: dict[str, tuple[int, bytes]] = {}
        self._cache: dict[int, bytes] = {}

    async def messages(self) -> AsyncIterator[bytes]:
        """Everything, and then what has changed, about once a second.

        Raises:
            UnknownRoom: there is none, or it was closed.
            StoreError: the store cannot be read at all.
        """
        self.n_viewers += 1
        seen = 0
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._follow(), name=f"board of {self.room}")
            while True:
                if seen < self.version:
                    message, seen = self._message(seen), self.version
                    yield message
                else:
                    await self._next_tick()
        finally:
            self.n_viewers -= 1

    def _message(self, seen: int) -> bytes:
        """What is newer than version `seen`; all viewers who have got as far share it."""
        if seen not in self._cache:
            parts = [self._head, *self._frames.values()]
            self._cache[seen] = b"".join(data for version, data in parts if version > seen)
        return self._cache[seen]

    async def _next_tick(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()  # raises what ended it
        await self._changed.wait()

    def _wake(self) -> None:
        self._cache.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    async def _follow(self) -> None:
        """Look into the store again and again while anybody watches."""
        try:
            while self.n_viewers:
                wait = TICK_S
                try:
                    head, rows, frames = await asyncio.to_thread(self._look)
                    self._take_in(head, rows, frames)
                except StoreError as error:
                    if not self.version:
                        raise
                    log.warning("The board of a room cannot be read: %s Trying again.", error)
                    wait = RETRY_S
                await asyncio.sleep(wait)
        except UnknownRoom:
            self.version = 0
            self._head, self._rows, self._frames = (0, b""), {}, {}
            raise
        finally:
            self._wake()

    def _look(self) -> tuple[bytes, Mapping[str, RunRow], dict[str, bytes]]:
        """Who is there, and the curves of runs that have changed since the last look. In a thread."""
        if self._reader.room(self.room) is None:
            raise UnknownRoom(self.room)
        members = self._reader.members(self.room)
        on_board = shown(members)
        rows = self._reader.rows_of([member.run for member in on_board if member.run])
        changed = [run for run, row in rows.items() if run not in self._frames or _is_other(row, self._rows.get(run))]
        frames = {run: run_frame(run, curve) for run, curve in self._reader.curves(changed).items()}
        lines = [line(member, rows.get(member.run)) for member in on_board]
        return frame("board", {"members": lines, "n_members": len(members)}), rows, frames

    def _take_in(self, head: bytes, rows: Mapping[str, RunRow], frames: Mapping[str, bytes]) -> None:
        next_version = self.version + 1
        new = {run: (next_version, data) for run, data in frames.items() if self._frames.get(run, (0, b""))[1] != data}
        is_head_new = head != self._head[1]
        self._rows = rows
        self._frames = {run: kept for run, kept in (self._frames | new).items() if run in rows}
        if is_head_new:
            self._head = (next_version, head)
        if is_head_new or new:
            self.version = next_version
            self._wake()


def _is_other(row: RunRow, before: RunRow | None) -> bool:
    """Whether more has happened in a run: its figures and its curve are written together."""
    return before is None or row.figures != before.figures or row.state != before.state


class BoardHub(Hub[Board]):
    """The boards of one server."""

    def __init__(self, reader: BoardReader) -> None:
        super().__init__(lambda room: Board(room, reader))
