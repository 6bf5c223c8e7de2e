"""How the store reaches its database: SQLite by path, others by URL."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

PRAGMAS = (
    "auto_vacuum=INCREMENTAL",  # before the first table; see sizes.py
    "journal_mode=WAL",
    "synchronous=FULL",  # survives a loss of power, not only of the process
    "busy_timeout=5000",
    "journal_size_limit=67108864",
)


def reading_engine(file: Path | None, place: str) -> Engine:
    """Many connections that only read."""
    if file is None:
        return create_engine(place, isolation_level="AUTOCOMMIT", pool_size=8, max_overflow=32)
    address = f"file:{quote(str(file))}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False)

    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=32)


def writing_engine(file: Path | None, place: str) -> Engine:
    """The connections of the writer: private files, transactions that take the lock at their beginning."""
    if file is None:
        return create_engine(place)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # before SQLite does it with the umask's mode

    def connect() -> sqlite3.Connection:
        # Without an isolation level the driver leaves transactions to us; by default it begins them late and on its own.
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
