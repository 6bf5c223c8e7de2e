"""The desk at which a job works, the same in a worker and inline: only what lies behind it differs."""

import time
from collections.abc import Callable
from typing import Protocol

from core.events import Command, Event, Progressed
from core.jobs.job import ArtifactRef, Stopped
from core.settings import Settings

PROGRESS_S = 0.1
"""Shortest time between two reports of progress."""


class Shelf(Protocol):
    """Where artifacts are read; `ArtifactFiles` on a disk."""

    def read(self, run: str, name: str, sha256: str) -> bytes: ...


class WorkDesk:
    """A Desk. `report` sends an event at once, `is_stopping` asks whether the run was told to stop."""

    def __init__(
        self, settings: Settings, shelf: Shelf, report: Callable[[Event], None], is_stopping: Callable[[], bool]
    ) -> None:
        self.settings = settings
        self.resume: bytes | None = None
        self.replay: tuple[tuple[int, Command], ...] = ()
        self._shelf = shelf
        self._report = report
        self._is_stopping = is_stopping
        self._begun = self._last = time.monotonic()
        self._last_done = 0

    def artifact(self, ref: ArtifactRef) -> bytes:
        return self._shelf.read(ref.run, ref.name, ref.sha256)

    def progress(self, done: int, total: int) -> None:
        if self._is_stopping():
            raise Stopped
        now = time.monotonic()
        if done < self._last_done:
            self._begun = now  # the job began another round
        if done >= total or now - self._last >= PROGRESS_S:
            left_s = (now - self._begun) / done * (total - done) if done else None
            self._report(Progressed(done, total, left_s))
            self._last = now
        self._last_done = done
