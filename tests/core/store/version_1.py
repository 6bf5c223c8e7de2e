"""A database as the code of version 1 wrote it: its tables word for word, with runs, logs and artifacts."""

import json
import sqlite3
from pathlib import Path

from core.events import EpochDone, Finished, StepsDone, dump

RUNS = """CREATE TABLE runs (
    id TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    job TEXT NOT NULL, "key" TEXT NOT NULL, attempt INTEGER NOT NULL, generation INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    last_step INTEGER NOT NULL, created FLOAT NOT NULL, started FLOAT, finished FLOAT, priority INTEGER NOT NULL, pid INTEGER,
    carry TEXT NOT NULL, PRIMARY KEY (id))"""
OLDEST = (
    'CREATE TABLE meta ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"))',
    RUNS,
    "CREATE TABLE events (run TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL,"
    " PRIMARY KEY (run, seq)) WITHOUT ROWID",
    "CREATE TABLE artifacts (run TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, step INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, n_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID",
    "CREATE INDEX runs_by_owner ON runs (owner, created)",
    "CREATE INDEX runs_by_state ON runs (state, priority, created)",
    'CREATE INDEX runs_by_key ON runs ("key", created)',
    "INSERT INTO meta VALUES ('schema_version', '1')",
)
NEWEST = (
    *OLDEST,
    "CREATE INDEX runs_by_start ON runs (priority, started, owner)",
    "CREATE INDEX runs_by_age ON runs (priority, created, state)",
    "CREATE TABLE said (run TEXT NOT NULL, name TEXT, tags TEXT, note TEXT, deleted FLOAT, PRIMARY KEY (run)) WITHOUT ROWID",
    "CREATE TABLE summaries (run TEXT NOT NULL, version INTEGER NOT NULL, parent TEXT NOT NULL, parent_step INTEGER NOT NULL,"
    " facts TEXT NOT NULL, figures TEXT NOT NULL, PRIMARY KEY (run)) WITHOUT ROWID",
    "CREATE TABLE curves (run TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run))",
    "INSERT INTO said VALUES ('run-2', 'Ärger', '[\"a\"]', 'note', NULL)",
    "INSERT INTO summaries VALUES ('run-2', 1, 'run-1', 7, '{\"lr\": 0.1}', '{\"seconds\": 2.5}')",
)
"""What was written by the first code of version 1, and by the last."""


def make(place: Path, tables: tuple[str, ...] = NEWEST, *, n_runs: int = 5, n_events: int = 12) -> None:
    """Write one, in the mode in which it was kept."""
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN")
    for statement in tables:
        connection.execute(statement)
    for run in range(n_runs):
        state = ("finished", "queued", "running", "failed", "paused")[run % 5]
        row = (
            f"run-{run}",
            "train",
            f"owner {run % 2}",
            "näme",
            state,
            "",
            json.dumps({"lr": run}),
            f"key {run}",
            1,
            2,
            n_events,
        )
        times = (7, 100.0 + run, 101.0 + run, 110.0 + run if state in ("finished", "failed") else None, 1, None, "carry")
        connection.execute(f"INSERT INTO runs VALUES ({','.join('?' * 18)})", row + times)
        losses = ((0.5, float("nan"), float("inf")),)
        told = [StepsDone(n, 1, losses, (0.1,), n / 7) for n in range(1, n_events - 1)]
        log = [*told, EpochDone(1, 3, (0.1,), (0.9,), (0.2,), (0.8,), 1.0), Finished("completed", 9, 1.5, (0.1,), (0.9,))]
        rows = [(f"run-{run}", seq, type(event).__name__, dump(event)) for seq, event in enumerate(log, start=1)]
        connection.executemany("INSERT INTO events VALUES (?,?,?,?)", rows)
        kept = [(f"run-{run}", f"checkpoint-{n}", "checkpoint", n, n, 1000 * n, "ab" * 32) for n in (1, 2)]
        connection.executemany("INSERT INTO artifacts VALUES (?,?,?,?,?,?,?)", kept)
    connection.execute("COMMIT")
    connection.close()


def content(place: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables of version 1, without columns that are younger."""
    connection = sqlite3.connect(place)
    columns = (
        "id,kind,owner,name,state,reason,job,key,attempt,generation,last_seq,last_step,created,started,finished,priority,carry"
    )
    found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in ("events", "artifacts")}
    found["runs"] = connection.execute(f"SELECT {columns} FROM runs ORDER BY 1").fetchall()
    connection.close()
    return found


def schema(place: Path) -> dict[str, object]:
    """Tables with their columns, and indexes with theirs, without regard to how the statements were written."""
    connection = sqlite3.connect(place)
    names = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2").fetchall()
    about = {"table": ("table_info", "table_list"), "index": ("index_xinfo",)}
    found = {name: [connection.execute(f"PRAGMA {one}({name})").fetchall() for one in about[kind]] for kind, name in names}
    connection.close()
    # the order of columns within `runs` and their defaults are those of ALTER TABLE
    return {name: parts if name != "runs" else sorted(row[1:4] for row in parts[0]) for name, parts in found.items()}
