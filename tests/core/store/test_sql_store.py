"""What is SQLite's own: the file, its version, and that kills cannot harm it."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import StoreError
from core.store.sql import SqlReader, SqlWriter

ROOT = Path(__file__).parents[3]
WRITE_UNTIL_KILLED = """
import sys
import core.store.engines as engines
import core.store.sql as sql
from core.events import Progressed
from core.store.protocol import LoggedEvent, RunRecord
if sys.argv[2] != "WAL":
    engines.PRAGMAS = (f"journal_mode={sys.argv[2]}", "synchronous=OFF")
engines.PRAGMAS += ("cache_size=10",)
writer = sql.SqlWriter(sys.argv[1])
known = writer.run("a")
if known is None:
    writer.begin()
    writer.create(RunRecord("a", "t", "", "", "running", "", "", "", 0, 0, 0, 0, 1.0, None, None))
    writer.commit()
seq = known.last_seq if known else 0
print("begun", flush=True)
while True:
    writer.begin()
    writer.append("a", [LoggedEvent(seq + n, Progressed(n, seq)) for n in range(1, 2001)])
    for _ in range(10):  # so that a kill mostly comes while SQLite writes
        writer._connection.exec_driver_sql("UPDATE events SET data = printf('{%015d}', abs(random() % 1000000))")
    seq += 2000
    writer.update("a", last_seq=seq)
    writer.commit()
    print(seq, flush=True)
"""


def acknowledged(database: Path, journal: str, after_s: float) -> int:
    """Kill a writer in the midst of large transactions; the last seq whose commit it had announced."""
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(database), journal]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split()
    return int(lines[-1]) if lines else 0


def is_sound(database: Path) -> bool:
    """Whether SQLite finds the database whole and the log in step with the row of its run."""
    connection = sqlite3.connect(database)
    try:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return False
        (last,) = connection.execute("SELECT last_seq FROM runs").fetchone()
        return connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM events").fetchone() == (last, last)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def test_kills_in_the_midst_of_large_transactions_lose_nothing_that_was_acknowledged(tmp_path):
    database, known = tmp_path / "runs.db", 0
    for kill in range(5):
        known = max(known, acknowledged(database, "WAL", 0.15 + kill * 0.07))
        assert is_sound(database)
        reader = SqlReader(database)
        assert reader.run("a").last_seq >= known
        reader.close()
    assert known > 0


def test_the_same_kills_do_harm_without_a_journal(tmp_path):
    """The control: the test above could fail."""
    for kill in range(12):
        database = tmp_path / f"{kill}.db"
        acknowledged(database, "OFF", 0.1 + kill * 0.05)
        if not is_sound(database):
            return
    pytest.fail("no kill did harm, so the kills prove nothing")


def test_the_database_is_private_and_survives_the_loss_of_power(tmp_path):
    writer = SqlWriter(tmp_path / "new" / "runs.db")
    writer.begin()
    writer.commit()
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 3
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    pragmas = [writer._connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]  # 2 is FULL
    writer.close()


def test_a_database_of_another_version_is_refused_in_words(tmp_path):
    SqlWriter(tmp_path / "runs.db").close()
    connection = sqlite3.connect(tmp_path / "runs.db")
    connection.execute("UPDATE meta SET value = '999'")
    connection.commit()
    connection.close()
    reader = SqlReader(tmp_path / "runs.db")
    with pytest.raises(StoreError, match="version 999"):
        reader.runs()
    reader.close()
    with pytest.raises(StoreError, match="version 999"):
        SqlWriter(tmp_path / "runs.db")


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "runs.db").write_bytes(b"not a database" * 1000)
    reader = SqlReader(tmp_path / "runs.db")
    with pytest.raises(StoreError, match="not a database") as raised:
        reader.runs()
    assert raised.value.hint
    reader.close()


def test_an_event_of_another_version_is_refused_in_words(tmp_path):
    writer = SqlWriter(tmp_path / "runs.db")
    connection = sqlite3.connect(tmp_path / "runs.db")
    connection.execute("INSERT INTO events VALUES ('a', 1, 'Transmogrified', '{}')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="does not know"):
        writer.events("a")
    writer.close()


def test_6400_events_a_second_are_less_than_half_the_work(tmp_path):
    from core.events import Progressed
    from core.store.protocol import LoggedEvent

    writer = SqlWriter(tmp_path / "runs.db")
    events = [Progressed(n, 320) for n in range(320)]
    begun = time.process_time()
    for batch in range(20):
        writer.begin()
        writer.append("a", [LoggedEvent(batch * 320 + n, event) for n, event in enumerate(events, start=1)])
        writer.commit()
    assert time.process_time() - begun < 0.5
    writer.close()


def test_a_long_history_does_not_slow_the_queue(tmp_path):
    now, row = time.time(), "(?, 'train', ?, '', ?, '', '{}', '', 1, 0, 0, 0, ?, ?, NULL, 1, NULL, '', 0, 0)"
    writer = SqlWriter(tmp_path / "runs.db")
    connection = sqlite3.connect(tmp_path / "runs.db")
    old = [(f"old{n}", "", "finished", now - n, now - n) for n in range(20_000)]
    waiting = [(f"new{n}", "", "queued", now + n, None) for n in range(30)]
    connection.executemany(f"INSERT INTO runs VALUES {row}", old + waiting)
    connection.commit()
    connection.close()
    reader = SqlReader(tmp_path / "runs.db")
    assert reader.queue_position("new29") == 29
    begun = time.process_time()
    for _ in range(10):
        reader.queue_position("new29")
    assert (time.process_time() - begun) / 10 < 0.02
    reader.close()
    writer.close()


def test_a_database_from_before_an_index_gets_it(tmp_path):
    SqlWriter(tmp_path / "runs.db").close()
    connection = sqlite3.connect(tmp_path / "runs.db")
    connection.execute("DROP INDEX runs_by_start")
    connection.commit()
    SqlWriter(tmp_path / "runs.db").close()
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'runs_by_start'").fetchone() == (1,)
    connection.close()
