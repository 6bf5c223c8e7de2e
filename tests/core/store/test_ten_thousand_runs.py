"""With 10,000 runs every question that is asked often is answered through an index. Plans are compared, not times."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from core.run_row import RunRow
from core.store.sql import SqlReader, SqlWriter
from core.types import UNFINISHED
from tests.contracts.test_stores import record

N, N_OWNERS = 10_000, 50
NOW = time.time()
OWNER = f"{7:032x}"


def fill(place: Path) -> None:
    """Ten thousand runs with summaries, what people said, artifacts and a short log, written past the store."""
    connection = sqlite3.connect(place)
    states = ["finished"] * 96 + ["failed", "stopped", "queued", "running"]
    for n in range(N):
        state = states[n % 100] if n < 200 else "finished"
        run, at = f"{n:032x}", NOW - 60 * n
        one = record(
            run, owner=f"{n % N_OWNERS:032x}", state=state, key=f"k{n}", job="{}" * 300, created=at, started=at, finished=at
        )
        connection.execute(f"INSERT INTO runs VALUES ({','.join('?' * 20)})", (*astuple(one), n % 20 != 0, None, "", 4000, 900))
    runs = [(f"{n:032x}",) for n in range(N)]
    connection.executemany("""INSERT INTO summaries VALUES (?, 1, '', 0, '{"lr": 0.1}', '{"seconds": 1.5}')""", runs)
    connection.executemany("INSERT INTO artifacts VALUES (?, 'checkpoint-1', 'checkpoint', 1, 1, 4000, 'd')", runs)
    connection.executemany("INSERT INTO events VALUES (?, 1, 'Progressed', '{\"done\": 1, \"total\": 2}')", runs)
    connection.executemany("INSERT INTO said (run, tags, deleted) VALUES (?, '[]', ?)", [(run, NOW) for (run,) in runs[1::4]])
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many") / "runs.db"
    SqlWriter(place).close()
    fill(place)
    return place


@pytest.fixture(scope="module")
def writer(place: Path) -> Iterator[SqlWriter]:
    writer = SqlWriter(place)
    yield writer
    writer.close()


@pytest.fixture(scope="module")
def reader(place: Path) -> Iterator[SqlReader]:
    reader = SqlReader(place)
    yield reader
    reader.close()


def plans(engine: Engine, place: Path, ask: Callable[[], object]) -> list[str]:
    """How SQLite looks for what is asked, step by step."""
    said: list[tuple[str, tuple[object, ...]]] = []

    def note(connection: object, cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        said.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    asked = [(statement, values) for statement, values in said if statement.startswith(("SELECT", "UPDATE", "DELETE"))]
    assert asked
    connection = sqlite3.connect(place)
    found = []
    for statement, values in asked:
        values = values[0] if isinstance(values, list) else values
        found += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    connection.close()
    return found


ASKED: dict[str, Callable[[SqlWriter], object]] = {
    "rows": lambda store: store.rows(),
    "rows of an owner": lambda store: store.rows(owner=OWNER),
    "rows and the bin": lambda store: store.rows(owner=OWNER, with_deleted=True),
    "curves": lambda store: store.curves([f"{n:032x}" for n in range(20)]),
    "run": lambda store: store.run(f"{7:032x}"),
    "training runs": lambda store: store.runs(kind="train", limit=60),
    "the answer to a key": lambda store: store.by_key("k77"),
    "queue": lambda store: store.queue(priority=1),
    "lens queue": lambda store: store.queue(priority=0),
    "place in the queue": lambda store: store.queue_position(f"{98:032x}"),
    "status": lambda store: store.in_states(["queued"]),
    "unfinished": lambda store: store.in_states(UNFINISHED),
    "usage": lambda store: store.usage(OWNER),
    "stored bytes": lambda store: store.stored_bytes(),
    "stored bytes of an owner": lambda store: store.stored_bytes(OWNER),
    "stored bytes of a queue": lambda store: store.queue_bytes(priority=1),
    "ended runs": lambda store: store.ended_runs(500, priority=1),
    "ended lens runs": lambda store: store.ended_runs(500, priority=0),
    "old results": lambda store: store.old_runs(priority=0, keep=500, limit=50),
    "large results": lambda store: store.runs_beyond(2**30, priority=0, limit=50),
    "the bin": lambda store: store.to_sweep(NOW, 50),
    "tags": lambda store: store.tags([f"{n:032x}" for n in range(20)]),
    "events": lambda store: store.events(f"{7:032x}", 0, 50),
    "artifacts": lambda store: store.artifacts(f"{7:032x}"),
    "every artifact": lambda store: next(store.every_artifact()),
}


@pytest.mark.fault(96)
@pytest.mark.parametrize("name", ASKED)
def test_a_question_is_answered_through_an_index(writer, place, name):
    found = plans(writer._engine, place, lambda: ASKED[name](writer))
    scans = [step for step in found if step.startswith("SCAN") and "COVERING INDEX" not in step]
    assert scans == [], found


@pytest.mark.fault(96)
def test_clearing_and_noting_touch_only_the_runs_in_question(writer, place):
    def write():
        writer.begin()
        writer.update(f"{7:032x}", state="finished")
        writer.forget_artifacts(f"{7:032x}", ["none"])
        writer.rewind(f"{7:032x}", 5)
        writer.forget_runs([f"{n:032x}" for n in range(9000, 9005)])
        writer.commit()

    found = plans(writer._engine, place, write)
    assert [step for step in found if step.startswith("SCAN")] == []


def test_the_control_without_its_index_a_question_would_read_all_runs(writer, place, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(place.read_bytes())
    connection = sqlite3.connect(copy)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall():
        connection.execute(f"DROP INDEX {name}")
    connection.commit()
    connection.close()
    assert any(step.startswith("SCAN runs") for step in plans(writer._engine, copy, lambda: writer.by_key("k77")))


@pytest.mark.fault(96)
def test_all_of_them_are_in_the_table(reader):
    kept = reader.rows()
    assert len(kept) > 6500
    assert isinstance(kept[0], RunRow)
    assert [row.created for row in kept] == sorted((row.created for row in kept), reverse=True)
    assert (kept[0].facts, kept[0].figures) == ({"lr": 0.1}, {"seconds": 1.5})
    own = reader.rows(owner=OWNER)
    assert own == tuple(row for row in kept if row.owner == OWNER)
