"""The tables: one row per run, one per event, one per artifact; and what people say of runs, their summaries and curves."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

SCHEMA_VERSION = 2
"""Rises when a table changes. An older database is brought up to it (migrations.py), a newer one is refused, not guessed at."""

METADATA = MetaData()

META = Table("meta", METADATA, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_step", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    # For the supervisor alone, beyond RunRecord: lens jobs (0) wait in another queue than training (1).
    Column("priority", Integer, nullable=False, default=1),
    Column("pid", Integer),
    Column("carry", Text, nullable=False, default=""),
    # What it takes on the disk: its artifacts, and its events in the database.
    Column("file_bytes", Integer, nullable=False, default=0),
    Column("log_bytes", Integer, nullable=False, default=0),
    Index("runs_of_owner", "owner", "priority", "created"),
    Index("runs_by_kind", "kind", "created"),
    Index("runs_by_state", "state", "priority", "created"),
    Index("runs_by_key", "key", "created"),
    Index("runs_by_start", "priority", "started", "owner"),
    Index("runs_by_age", "priority", "created", "state"),
    Index("runs_by_end", "finished", "state"),
    Index("runs_by_size", "owner", "file_bytes", "log_bytes"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("n_bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    sqlite_with_rowid=False,
)

SAID = Table(
    "said",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("name", Text),
    Column("tags", Text),
    Column("note", Text),
    Column("deleted", Float),
    Index("said_by_deleted", "deleted"),
    sqlite_with_rowid=False,
)

SUMMARIES = Table(
    "summaries",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("parent", Text, nullable=False),
    Column("parent_step", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("figures", Text, nullable=False),
    sqlite_with_rowid=False,
)

CURVES = Table(
    "curves",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# The tables below are younger than the version: the writer makes them where they are missing, a reader does without.
# A room: what its presenter shows, for all who follow. `state` is JSON of dashboard/session/rooms.py; `seq` rises with it.
ROOMS = Table(
    "rooms",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    sqlite_with_rowid=False,
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("room", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("joined", Float, nullable=False),
    sqlite_with_rowid=False,
)
