"""Runs in a SQL database: SQLite (WAL) by path, others by URL. One writer, any number of readers."""

import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    Executable,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreError
from core.events import Event, dump, load_event
from core.store import statements
from core.store.engines import reading_engine, writing_engine
from core.store.migrations import check_version, is_older, migrate, put_aside
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord
from core.store.rooms import RoomReads, RoomWrites
from core.store.rows import RowReads, RowWrites
from core.store.schema import ARTIFACTS, EVENTS, META, METADATA, RUNS, SCHEMA_VERSION
from core.store.sizes import SizeReads, SizeWrites, let_it_shrink
from core.store.usage import UsageReads
from core.store.waiting import WaitingReads

LOG = logging.getLogger(__name__)


def database_version() -> str:
    """The SQLite that is in use, for the log: versions before 3.51.3 want a single writer, which we have."""
    return f"SQLite {sqlite3.sqlite_version}"


@contextmanager
def _in_words(place: str) -> Iterator[None]:
    """Turns what the database says into a StoreError."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(
            f"The database of runs at {place} failed: {str(cause)[:200]}.",
            hint="Check that its disk has space and that the folder belongs to you.",
        ) from error


class SqlReader(RowReads, RoomReads, SizeReads, UsageReads, WaitingReads):
    """Reads of committed data, from any thread. Until the database is there, every answer is empty.

    Args:
        place: path of a SQLite file, or a database URL.
    """

    def __init__(self, place: Path | str) -> None:
        self._file = None if "://" in str(place) else Path(place).absolute()
        self._place = str(place)
        self._is_there = False
        self._engine = reading_engine(self._file, self._place)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def run(self, run: str) -> RunRecord | None:
        rows = self._rows(statements.RUN, run=run)
        return RunRecord(*rows[0]) if rows else None

    def runs(self, *, owner: str | None = None, kind: str | None = None, limit: int = 100) -> tuple[RunRecord, ...]:
        wanted = select(*statements.RUN_COLUMNS).order_by(RUNS.c.created.desc(), RUNS.c.id).limit(limit)
        if owner is not None:
            wanted = wanted.where(RUNS.c.owner == owner)
        if kind is not None:
            wanted = wanted.where(RUNS.c.kind == kind)
        return tuple(RunRecord(*row) for row in self._rows(wanted))

    def in_states(self, states: Collection[str]) -> tuple[RunRecord, ...]:
        """Runs in one of these states, oldest first."""
        wanted = select(*statements.RUN_COLUMNS).where(RUNS.c.state.in_(states)).order_by(RUNS.c.created, RUNS.c.id)
        return tuple(RunRecord(*row) for row in self._rows(wanted))

    def by_key(self, key: str) -> RunRecord | None:
        rows = self._rows(statements.BY_KEY, key=key)
        return RunRecord(*rows[0]) if rows else None

    def events(self, run: str, after: int = 0, limit: int = 10_000, *, name: str | None = None) -> tuple[LoggedEvent, ...]:
        named = {"name": name} if name else {}
        rows = self._rows(
            statements.NAMED_EVENTS_AFTER if name else statements.EVENTS_AFTER, run=run, after=after, limit=limit, **named
        )
        return self._events(run, rows)

    def artifacts(self, run: str, kind: str | None = None) -> tuple[ArtifactRecord, ...]:
        records = (ArtifactRecord(*row) for row in self._rows(statements.ARTIFACTS_OF, run=run))
        return tuple(record for record in records if kind is None or record.kind == kind)

    def every_artifact(self) -> Iterator[ArtifactRecord]:
        """All rows of artifacts, run by run."""
        run, name = "", ""
        while page := self._rows(statements.ARTIFACTS_AFTER, run=run, name=name):
            yield from (ArtifactRecord(*row) for row in page)
            run, name = page[-1].run, page[-1].name

    def _events(self, run: str, rows: Iterable[Any]) -> tuple[LoggedEvent, ...]:
        try:
            return tuple(LoggedEvent(seq, load_event(name, data)) for seq, name, data in rows)
        except (KeyError, ValidationError) as error:
            raise StoreError(
                f"The log of run {run} has an event that this version does not know.",
                hint="It was written by another version of Layerwise: use that one, or start the run again.",
            ) from error

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        with _in_words(self._place):
            if not self._is_there and not self._look():
                return []
            with self._engine.connect() as connection:
                return list(connection.execute(statement, values))

    def _has_table(self, name: str) -> bool:
        with _in_words(self._place), self._engine.connect() as connection:
            return self._engine.dialect.has_table(connection, name)

    def _look(self) -> bool:
        """Whether the tables are there. They and their version appear in one transaction, after the file."""
        if self._file is not None and (not self._file.exists() or self._file.stat().st_size == 0):
            return False
        with self._engine.connect() as connection:
            if not self._engine.dialect.has_table(connection, META.name):
                return False
            check_version(connection.execute(statements.VERSION).scalar(), self._place, is_writer=False)
        self._is_there = True
        return True


class SqlWriter(SqlReader, RowWrites, RoomWrites, SizeWrites):
    """The one writer. Use it from one thread, between `begin` and `commit`; its reads see its own writes."""

    def __init__(self, place: Path | str) -> None:
        super().__init__(place)
        self._engine = writing_engine(self._file, self._place)
        self._grown = {}
        with _in_words(self._place):
            self._connection = self._engine.connect()
            self._bring_up_to_date()
        self._is_there = True

    def close(self) -> None:
        self._connection.close()
        super().close()

    def _bring_up_to_date(self) -> None:
        """Make the tables, or change those of an older version after a copy was put aside.

        Raises:
            StoreError: they are of a version that is not known, or there is no room for the copy.
        """
        version = self._version()
        if version is not None:
            check_version(version, self._place, is_writer=True)
        if version is not None and is_older(version) and self._file is not None:
            LOG.info("runs of version %s: a copy is at %s", version, put_aside(self._file, int(version)))
        with self._connection.begin():
            if version is not None:
                migrate(self._connection, int(version))
            METADATA.create_all(self._connection)
            for index in (one for table in METADATA.tables.values() for one in table.indexes):
                index.create(self._connection, checkfirst=True)  # one that is newer than its table is not made with it
            if version is None:
                self._connection.execute(insert(META).values(key="schema_version", value=str(SCHEMA_VERSION)))
        if self._file is not None:
            let_it_shrink(self._connection)

    def _version(self) -> str | None:
        """The version of the tables; None where there are none."""
        with self._connection.begin():
            if not self._engine.dialect.has_table(self._connection, META.name):
                return None
            return self._connection.execute(statements.VERSION).scalar()

    def begin(self) -> None:
        with _in_words(self._place):
            self._connection.begin()

    def commit(self) -> None:
        self._write_growth()
        with _in_words(self._place):
            self._connection.commit()

    def create(self, record: RunRecord) -> None:
        self._write(insert(RUNS), asdict(record))

    def update(self, run: str, **columns: object) -> None:
        self._write(statements.run_update(tuple(columns)), {"of_run": run} | columns)

    def append(self, run: str, events: Sequence[LoggedEvent]) -> None:
        rows = [
            {"run": run, "seq": logged.seq, "name": type(logged.event).__name__, "data": dump(logged.event)}
            for logged in events
        ]
        if rows:
            self._write(statements.NEW_EVENTS, rows)
            self._note_growth(run, sum(len(str(row["data"])) for row in rows))

    def add_artifact(self, record: ArtifactRecord) -> None:
        """A second artifact of this name replaces the first, as its file did."""
        self.forget_artifacts(record.run, [record.name])
        self._write(insert(ARTIFACTS), asdict(record))
        self._count_files(record.run)

    def rewind(self, run: str, seq: int) -> None:
        self._write(delete(EVENTS).where(EVENTS.c.run == run, EVENTS.c.seq > seq))
        self._write(delete(ARTIFACTS).where(ARTIFACTS.c.run == run, ARTIFACTS.c.seq > seq))
        self._write(update(RUNS).where(RUNS.c.id == run).values(generation=RUNS.c.generation + 1, last_seq=seq))
        self._count_files(run)
        self._count_log(run)
        self.forget_summary(run)

    def forget_artifacts(self, run: str, names: Sequence[str]) -> None:
        if names:
            self._write(delete(ARTIFACTS).where(ARTIFACTS.c.run == run, ARTIFACTS.c.name.in_(names)))
            self._count_files(run)

    def forget_runs(self, runs: Sequence[str]) -> None:
        for statement in statements.FORGET_RUNS if runs else ():
            self._write(statement, {"runs": list(runs)})

    def old_runs(self, *, priority: int, keep: int, limit: int) -> tuple[str, ...]:
        return tuple(row.id for row in self._rows(statements.OLD, priority=priority, keep=keep, limit=limit))

    def last_event(self, run: str, name: str) -> Event | None:
        events = self._events(run, self._rows(statements.LAST_EVENT, run=run, name=name))
        return events[0].event if events else None

    def carry(self, run: str) -> str:
        return str(self._rows(statements.CARRY, run=run)[0].carry)

    def _write(self, statement: Executable, values: Any = None) -> None:
        if not self._connection.in_transaction():
            raise RuntimeError("a write needs begin() before it")
        with _in_words(self._place):
            self._connection.execute(statement, values)

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        had_begun = self._connection.in_transaction()
        with _in_words(self._place):
            rows = list(self._connection.execute(statement, values))
            if not had_begun:
                self._connection.rollback()
        return rows
