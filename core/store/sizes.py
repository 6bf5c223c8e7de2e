"""What runs take on the disk, in a SQL store: by whom, and which ended runs are oldest; and giving room back to the disk."""

import logging
import sqlite3
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, func, select, text, update

from core.store.schema import ARTIFACTS, EVENTS, META, RUNS
from core.types import UNFINISHED

LOG = logging.getLogger(__name__)

MOST_FREE = 0.2
"""A database file gives pages back when more than this part of it is free: a few are soon used again."""
FEWEST_FREE = 1024
"""Free pages (4 KB each) that are not worth the work."""

_BYTES = RUNS.c.file_bytes + RUNS.c.log_bytes
ALL_BYTES = select(func.coalesce(func.sum(_BYTES), 0))
BYTES_OF = ALL_BYTES.where(RUNS.c.owner == bindparam("owner"))
BYTES_IN = ALL_BYTES.where(RUNS.c.priority == bindparam("priority"))
ENDED = (
    select(RUNS.c.id, RUNS.c.finished, _BYTES.label("n_bytes"))
    .where(RUNS.c.finished.is_not(None), RUNS.c.state.not_in(UNFINISHED))
    .where(RUNS.c.priority + 0 == bindparam("priority"))  # the sum keeps SQLite to the index by end
    .order_by(RUNS.c.finished)
    .limit(bindparam("limit"))
)
NEWEST = (
    select(RUNS.c.id, _BYTES.label("n_bytes"))
    .where(RUNS.c.priority == bindparam("priority"), RUNS.c.state.not_in(UNFINISHED))
    .order_by(RUNS.c.created.desc(), RUNS.c.id)
)
GROW = update(RUNS).where(RUNS.c.id == bindparam("run")).values(log_bytes=RUNS.c.log_bytes + bindparam("grown"))
COUNT_FILES = update(RUNS).values(
    file_bytes=select(func.coalesce(func.sum(ARTIFACTS.c.n_bytes), 0)).where(ARTIFACTS.c.run == RUNS.c.id).scalar_subquery()
)
COUNT_LOG = update(RUNS).values(
    log_bytes=select(func.coalesce(func.sum(func.length(EVENTS.c.data)), 0)).where(EVENTS.c.run == RUNS.c.id).scalar_subquery()
)
VERSION = select(META.c.value).where(META.c.key == "schema_version")
N_RUNS = select(func.count()).select_from(RUNS)
INTEGRITY = text("PRAGMA integrity_check")
FREE_PAGES, PAGES, FREE_ONE = (text(f"PRAGMA {name}") for name in ("freelist_count", "page_count", "incremental_vacuum(1)"))
INCREMENTAL = 2


def let_it_shrink(connection: Connection) -> None:
    """Write a SQLite file anew that was made by a version whose files only grew. A full disk leaves it as it is."""
    if connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() != INCREMENTAL:
        connection.rollback()
        try:
            connection.connection.executescript("PRAGMA auto_vacuum=INCREMENTAL; VACUUM;")
        except sqlite3.Error as error:
            LOG.warning("the database of runs stays as it is and cannot shrink: %s", error)
    connection.rollback()


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended, and what it takes on the disk."""

    id: str
    finished: float
    n_bytes: int


class SizeReads:
    """The part of a reader that limits, clearing up and looking after need."""

    _file: Path | None

    def stored_bytes(self, owner: str | None = None) -> int:
        """Bytes of artifacts and logs of all runs, or of one owner's."""
        rows = self._rows(ALL_BYTES) if owner is None else self._rows(BYTES_OF, owner=owner)
        return int(rows[0][0]) if rows else 0

    def queue_bytes(self, *, priority: int) -> int:
        """Bytes of artifacts and logs of the runs of one queue."""
        rows = self._rows(BYTES_IN, priority=priority)
        return int(rows[0][0]) if rows else 0

    def ended_runs(self, limit: int, *, priority: int) -> tuple[EndedRun, ...]:
        """Ended runs of one queue with their sizes, those that ended first coming first."""
        return tuple(EndedRun(*row) for row in self._rows(ENDED, limit=limit, priority=priority))

    def runs_beyond(self, n_bytes: int, *, priority: int, limit: int) -> tuple[str, ...]:
        """Ids of the ended runs of one queue for which the newer ones leave no room in so many bytes, oldest first. The
        newest one is never among them."""
        rows = self._rows(NEWEST, priority=priority)
        taken = accumulate(row.n_bytes for row in rows)
        beyond = [row.id for row, n_taken in zip(rows, taken, strict=True) if n_taken > n_bytes and row is not rows[0]]
        return tuple(beyond[::-1][:limit])

    def n_runs(self) -> int:
        """All runs, of both queues."""
        rows = self._rows(N_RUNS)
        return int(rows[0][0]) if rows else 0

    def open(self) -> None:
        """Look at the version alone.

        Raises:
            StoreError: it is no database, or one of another version; the hint says what to do.
        """
        self._rows(VERSION)

    def damage(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the pages and indexes of its file; nothing where it is whole. Reads all of it."""
        rows = self._rows(INTEGRITY) if self._file is not None else []
        return tuple(str(row[0]) for row in rows if row[0] != "ok")

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        raise TypeError("a store asks its database here")


class SizeWrites(SizeReads):
    """The part of the writer that keeps the sizes."""

    _grown: dict[str, int]

    def shrink(self, most_pages: int) -> bool:
        """Give some free pages at the end of the database file back to the disk; whether there are more. Belongs inside a
        transaction."""
        if self._file is None:
            return False  # another database looks after itself
        free, pages = (int(self._rows(statement)[0][0]) for statement in (FREE_PAGES, PAGES))
        if free < FEWEST_FREE or free < MOST_FREE * pages:
            return False
        for _ in range(min(most_pages, free)):  # the driver takes one step of a pragma, which frees one page
            self._write(FREE_ONE)
        return free > most_pages

    def _note_growth(self, run: str, n_bytes: int) -> None:
        """A log grew; written once, before the commit."""
        self._grown[run] = self._grown.get(run, 0) + n_bytes

    def _write_growth(self) -> None:
        if self._grown:
            self._write(GROW, [{"run": run, "grown": grown} for run, grown in self._grown.items()])
            self._grown.clear()

    def _count_files(self, run: str) -> None:
        self._write(COUNT_FILES.where(RUNS.c.id == run))

    def _count_log(self, run: str) -> None:
        self._grown.pop(run, None)
        self._write(COUNT_LOG.where(RUNS.c.id == run))

    def _write(self, statement: Executable, values: Any = None) -> None:
        raise TypeError("a store asks its database here")
