"""How a database of an older version becomes one of the present: step by step, in one transaction, after a copy was put aside.

A step is never changed once it was released: it says in plain SQL what was so at its time. The tables of the present are in
schema.py; a test holds both equal.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, bindparam, text, update

from core.errors import StoreError
from core.store.schema import META, SCHEMA_VERSION

Step = Callable[[Connection], None]
SET_VERSION = update(META).where(META.c.key == "schema_version").values(value=bindparam("version"))


def migrate(connection: Connection, version: int, steps: Mapping[int, Step] | None = None) -> None:
    """Bring the tables from `version` to the present one. Call it inside a transaction: all of it happens, or nothing."""
    known = STEPS if steps is None else steps
    for present in range(version, SCHEMA_VERSION):
        known[present](connection)
        connection.execute(SET_VERSION, {"version": str(present + 1)})


def check_version(version: str | None, place: str, *, is_writer: bool) -> None:
    """Refuse a database that cannot be read; the writer mends one that is older.

    Raises:
        StoreError: it is of another version; the hint says what to do.
    """
    if version == str(SCHEMA_VERSION) or (is_writer and is_older(version)):
        return
    says = f"The database of runs at {place} has version {version}, this Layerwise reads version {SCHEMA_VERSION}."
    if is_older(version):
        hint = "Start the supervisor of this Layerwise (make run does): it puts a copy aside and brings the runs up to date."
        raise StoreError(says, hint=hint)
    raise StoreError(says, hint="Use the newer Layerwise that wrote it, or choose another LAYERWISE_HOME.")


def is_older(version: str | None) -> bool:
    """Whether there is a way from this version to the present one."""
    return version is not None and version.isascii() and version.isdigit() and int(version) in STEPS


def put_aside(file: Path, version: int) -> Path:
    """A consistent copy of the database as it is, beside it: `runs.db.v1.bak`. It is whole or not there.

    Raises:
        StoreError: there is no room for it. Nothing was changed then.
    """
    copy = file.with_name(f"{file.name}.v{version}.bak")
    part = copy.with_name(copy.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_RDWR, 0o600))
        copy_database(file, part)
        os.replace(part, copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        size = file.stat().st_size
        raise StoreError(
            f"The runs are of version {version} and cannot be brought up to date: a copy ({size:,} bytes) could not be made.",
            hint=f"Free some disk space beside {file}; nothing was changed. ({str(error)[:200]})",
        ) from error
    return copy


def copy_database(file: Path, copy: Path) -> None:
    """Write what is committed in a database into another file, durably, also while somebody writes."""
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        target.execute("PRAGMA synchronous=OFF")  # it is made durable below, at once
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a WAL beside it
    descriptor = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_2(connection: Connection) -> None:
    """What a run takes on the disk is a column, ended runs are found by their end; the tables of the table of runs are part of
    the version."""
    for statement in TO_2:
        connection.execute(text(statement))


TO_2 = (
    "ALTER TABLE runs ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0",
    "UPDATE runs SET"
    " file_bytes = (SELECT coalesce(sum(n_bytes), 0) FROM artifacts WHERE run = runs.id),"
    " log_bytes = (SELECT coalesce(sum(length(data)), 0) FROM events WHERE run = runs.id)",
    # some as the code of version 1 made them, where it was young enough to have them
    "DROP INDEX IF EXISTS runs_by_owner",
    "CREATE INDEX IF NOT EXISTS runs_of_owner ON runs (owner, priority, created)",
    "CREATE INDEX IF NOT EXISTS runs_by_kind ON runs (kind, created)",
    "CREATE INDEX IF NOT EXISTS runs_by_state ON runs (state, priority, created)",
    'CREATE INDEX IF NOT EXISTS runs_by_key ON runs ("key", created)',
    "CREATE INDEX IF NOT EXISTS runs_by_start ON runs (priority, started, owner)",
    "CREATE INDEX IF NOT EXISTS runs_by_age ON runs (priority, created, state)",
    "CREATE INDEX IF NOT EXISTS runs_by_end ON runs (finished, state)",
    "CREATE INDEX IF NOT EXISTS runs_by_size ON runs (owner, file_bytes, log_bytes)",
    "CREATE TABLE IF NOT EXISTS said (run TEXT NOT NULL, name TEXT, tags TEXT, note TEXT, deleted FLOAT,"
    " PRIMARY KEY (run)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS said_by_deleted ON said (deleted)",
    "CREATE TABLE IF NOT EXISTS summaries (run TEXT NOT NULL, version INTEGER NOT NULL, parent TEXT NOT NULL,"
    " parent_step INTEGER NOT NULL, facts TEXT NOT NULL, figures TEXT NOT NULL, PRIMARY KEY (run)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS curves (run TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run))",
)

STEPS: Mapping[int, Step] = {1: _to_2}
"""By the version from which each one leads to the next."""
