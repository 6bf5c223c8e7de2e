"""An older database becomes one of the present, whole or not at all; what was there before stays beside it."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StoreError
from core.events import load_event
from core.store import migrations, sizes
from core.store.migrations import migrate, put_aside
from core.store.schema import SCHEMA_VERSION
from core.store.sql import SqlReader, SqlWriter
from tests.core.store import version_1

ROOT = Path(__file__).parents[3]


def version(place: Path) -> str:
    connection = sqlite3.connect(place)
    (found,) = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    connection.close()
    return str(found)


@pytest.mark.fault(91)
@pytest.mark.parametrize("tables", [version_1.OLDEST, version_1.NEWEST], ids=["oldest", "newest"])
def test_all_that_version_1_wrote_reads_equal_afterwards(tmp_path, tables):
    place = tmp_path / "runs.db"
    version_1.make(place, tables)
    before = version_1.content(place)
    SqlWriter(place).close()
    assert version(place) == str(SCHEMA_VERSION)
    assert version_1.content(place) == before
    reader = SqlReader(place)
    for run, name, seq, data in [(row[0], row[2], row[1], row[3]) for row in before["events"]]:
        (logged,) = reader.events(run, seq - 1, 1)
        assert repr(logged.event) == repr(load_event(name, data))  # by its text: NaN is not equal to itself
    assert [one.n_bytes for one in reader.artifacts("run-1")] == [1000, 2000]
    logs = sum(len(row[3]) for row in before["events"] if row[0] in ("run-1", "run-3"))
    assert reader.stored_bytes("owner 1") == 2 * 3000 + logs
    assert [one.id for one in reader.ended_runs(9, priority=1)] == ["run-0", "run-3"]
    assert len(reader.rows()) == 5
    if tables is version_1.NEWEST:
        named = next(row for row in reader.rows() if row.id == "run-2")
        assert (named.name, named.tags, named.parent, named.facts) == ("Ärger", ("a",), "run-1", {"lr": 0.1})
    reader.close()


@pytest.mark.parametrize("tables", [version_1.OLDEST, version_1.NEWEST], ids=["oldest", "newest"])
def test_the_tables_are_those_that_a_new_database_has(tmp_path, tables):
    version_1.make(tmp_path / "old.db", tables)
    SqlWriter(tmp_path / "old.db").close()
    SqlWriter(tmp_path / "new.db").close()
    assert version_1.schema(tmp_path / "old.db") == version_1.schema(tmp_path / "new.db")


def test_a_copy_of_the_old_database_stays_beside_it(tmp_path):
    place = tmp_path / "runs.db"
    version_1.make(place)
    before = version_1.content(place)
    SqlWriter(place).close()
    copy = tmp_path / "runs.db.v1.bak"
    assert (version(copy), version_1.content(copy)) == ("1", before)
    assert copy.stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir()} == {"runs.db", copy.name}


@pytest.mark.fault(91)
def test_without_room_for_the_copy_nothing_is_changed(tmp_path, monkeypatch):
    place = tmp_path / "runs.db"
    version_1.make(place)
    before = place.read_bytes()

    def full(file: Path, copy: Path) -> None:
        copy.write_bytes(b"half")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(migrations, "copy_database", full)
    with pytest.raises(StoreError, match="cannot be brought up to date") as raised:
        SqlWriter(place)
    assert "disk is full" in raised.value.hint
    assert place.read_bytes() == before
    assert not list(tmp_path.glob("*.bak*"))


@pytest.mark.fault(92)
@pytest.mark.parametrize("foreign", [str(SCHEMA_VERSION + 1), "999", "0", "", "1; DROP TABLE runs", "²", "-1"])
def test_a_version_that_is_not_known_is_refused_in_words_and_stays_untouched(tmp_path, foreign):
    place = tmp_path / "runs.db"
    version_1.make(place)
    connection = sqlite3.connect(place)
    connection.execute("UPDATE meta SET value = ?", (foreign,))
    connection.commit()
    connection.close()
    before = place.read_bytes()
    with pytest.raises(StoreError, match="reads version") as raised:
        SqlWriter(place)
    assert "newer Layerwise" in raised.value.hint
    assert place.read_bytes() == before
    assert not list(tmp_path.glob("*.bak"))


def test_a_reader_of_an_older_database_says_what_to_do_and_goes_on_once_it_is_new(tmp_path):
    place = tmp_path / "runs.db"
    version_1.make(place)
    reader = SqlReader(place)
    with pytest.raises(StoreError, match="version 1") as raised:
        reader.rows()
    assert "supervisor" in raised.value.hint
    SqlWriter(place).close()
    assert len(reader.rows()) == 5
    reader.close()


KILLED = """
import sys
from core.store import migrations, sizes
from core.store.sql import SqlWriter
def step(connection):
    migrations._to_2(connection)
    connection.exec_driver_sql("UPDATE runs SET name = 'half done'")
    connection.exec_driver_sql("DELETE FROM events")
    print("in the midst", flush=True)
    sys.stdin.read()
migrations.STEPS = {1: step}
SqlWriter(sys.argv[1])
"""


@pytest.mark.fault(93)
def test_a_kill_in_the_midst_leaves_the_old_version_whole_and_the_next_start_brings_it_up(tmp_path):
    place = tmp_path / "runs.db"
    version_1.make(place, n_runs=200)
    before = version_1.content(place)
    command = [sys.executable, "-c", KILLED, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the midst\n"
        process.send_signal(signal.SIGKILL)
    assert (version(place), version_1.content(place)) == ("1", before)
    connection = sqlite3.connect(place)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    SqlWriter(place).close()
    assert (version(place), version_1.content(place)) == (str(SCHEMA_VERSION), before)


def test_the_control_a_step_without_a_transaction_would_do_harm(tmp_path):
    place = tmp_path / "runs.db"
    version_1.make(place)
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("ALTER TABLE runs ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0")
    connection.close()
    with pytest.raises(StoreError, match="duplicate column"):
        SqlWriter(place)
    assert version(place) == "1"


def test_steps_lead_from_each_version_to_the_next(tmp_path):
    assert sorted(migrations.STEPS) == list(range(1, SCHEMA_VERSION))
    done: list[int] = []
    writer = SqlWriter(tmp_path / "runs.db")
    writer.begin()
    migrate(writer._connection, SCHEMA_VERSION, {})
    migrate(writer._connection, SCHEMA_VERSION - 1, {SCHEMA_VERSION - 1: lambda connection: done.append(SCHEMA_VERSION)})
    writer.commit()
    writer.close()
    assert done == [SCHEMA_VERSION]


def test_the_copy_is_of_what_was_committed_while_somebody_writes(tmp_path):
    place = tmp_path / "runs.db"
    version_1.make(place)
    before = version_1.content(place)
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM events")
    assert version_1.content(put_aside(place, 1)) == before
    writer.execute("ROLLBACK")
    writer.close()


def test_a_file_that_only_grew_can_give_its_room_back_from_now_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "FEWEST_FREE", 16)
    place = tmp_path / "runs.db"
    version_1.make(place, n_runs=300, n_events=90)
    writer = SqlWriter(place)
    size = place.stat().st_size
    writer.begin()
    writer.forget_runs([f"run-{run}" for run in range(5, 300)])
    writer.commit()
    writer.begin()
    while writer.shrink(500):
        pass
    writer.commit()
    writer.close()
    assert place.stat().st_size < size / 10
    reader = SqlReader(place)
    assert len(reader.rows()) == 5
    assert len(reader.events("run-4")) == 90
    reader.close()
