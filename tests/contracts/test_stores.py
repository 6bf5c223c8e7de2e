"""One suite for every store: what a reader and the writer promise (core/store/protocol.py)."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from core.errors import StoreError
from core.events import Finished, Noticed, Progressed, StepsDone, SurfaceMeasured, dump
from core.run_curve import RunCurve
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord, Summary
from core.store.sql import SqlReader, SqlWriter

BACKENDS: dict[str, Callable[[Path], Any]] = {"sqlite": lambda folder: folder / "a b#c%20?.db"}
"""Name of a store, and where one lies that uses this folder."""


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def reader(place: Any) -> Iterator[SqlReader]:
    reader = SqlReader(place)
    yield reader
    reader.close()


@pytest.fixture
def writer(place: Any, reader: SqlReader) -> Iterator[SqlWriter]:
    assert reader.run("a") is None  # before there is a database
    assert reader.runs() == reader.events("a") == reader.artifacts("a") == ()
    assert reader.by_key("k") is reader.queue_position("a") is None
    assert (reader.rows(), reader.curves(["a"])) == ((), {})
    writer = SqlWriter(place)
    yield writer
    writer.close()


def record(run: str, **columns: Any) -> RunRecord:
    values: dict[str, Any] = {
        "id": run, "kind": "train", "owner": "ada", "name": "first", "state": "queued", "reason": "", "job": "{}", "key": "k",
        "attempt": 0, "generation": 0, "last_seq": 0, "last_step": 0, "created": 1.0, "started": None, "finished": None,
    }  # fmt: skip
    return RunRecord(**(values | columns))


def create(writer: SqlWriter, *records: RunRecord, priority: int = 1) -> None:
    writer.begin()
    for one in records:
        writer.create(one)
        writer.update(one.id, priority=priority)
    writer.commit()


def logged(*seqs: int) -> list[LoggedEvent]:
    return [LoggedEvent(seq, Progressed(seq, 100)) for seq in seqs]


def test_a_run_comes_back_as_it_was_written(writer, reader):
    one = record("a", name="<b>'; DROP TABLE runs; --", started=2.5, job='{"kind":"é\u2028"}')
    create(writer, one)
    assert reader.run("a") == writer.run("a") == one
    assert reader.run("A") is None


def test_nothing_is_seen_before_the_commit_and_then_all_of_it(writer, reader):
    create(writer, record("a"))
    writer.begin()
    writer.append("a", logged(1, 2))
    writer.update("a", state="running", last_seq=2)
    assert (reader.events("a"), reader.run("a").state) == ((), "queued")
    assert len(writer.events("a")) == 2
    writer.commit()
    assert [one.seq for one in reader.events("a")] == [1, 2]
    assert reader.run("a").state == "running"


def test_every_event_comes_back_equal_with_bytes_and_what_is_no_number(writer, reader):
    events = [
        StepsDone(1, 0, ((0.1, float("inf"), -float("inf")),), (1e-300,), 0.25),
        SurfaceMeasured(3, 0, 2, 6.0, bytes([0, 255, 10, 34])),
        Noticed("warning", "code", 'quotes " and \u2028', ""),
        Finished("completed", 3, 1.5, (0.5,), None),
    ]
    create(writer, record("a"))
    writer.begin()
    writer.append("a", [LoggedEvent(seq, event) for seq, event in enumerate(events, start=1)])
    writer.commit()
    assert [one.event for one in reader.events("a")] == events


def test_events_are_read_after_a_cursor_and_up_to_a_limit(writer, reader):
    create(writer, record("a"), record("b"))
    writer.begin()
    writer.append("a", logged(*range(1, 31)))
    writer.append("b", logged(1))
    writer.commit()
    assert [one.seq for one in reader.events("a", after=27)] == [28, 29, 30]
    assert [one.seq for one in reader.events("a", after=5, limit=2)] == [6, 7]
    assert reader.events("a", after=30) == ()


def test_a_rewind_forgets_the_tail_and_raises_the_generation(writer, reader):
    create(writer, record("a"), record("b"))
    writer.begin()
    for run in "ab":
        writer.append(run, logged(1, 2, 3, 4))
        writer.add_artifact(ArtifactRecord(run, "early", "checkpoint", 1, 2, 10, "0" * 64))
        writer.add_artifact(ArtifactRecord(run, "late", "checkpoint", 2, 4, 10, "1" * 64))
    writer.rewind("a", 2)
    writer.append("a", logged(3))  # the seq is free again
    writer.commit()
    assert [one.seq for one in reader.events("a")] == [1, 2, 3]
    assert [one.name for one in reader.artifacts("a")] == ["early"]
    assert (reader.run("a").generation, reader.run("b").generation) == (1, 0)
    assert (len(reader.events("b")), len(reader.artifacts("b"))) == (4, 2)


def test_artifacts_are_listed_by_seq_and_kind_and_a_name_is_unique(writer, reader):
    create(writer, record("a"))
    writer.begin()
    writer.add_artifact(ArtifactRecord("a", "z", "checkpoint", 1, 2, 10, "0" * 64))
    writer.add_artifact(ArtifactRecord("a", "b", "result", 2, 9, 10, "1" * 64))
    writer.add_artifact(ArtifactRecord("a", "z", "checkpoint", 3, 5, 11, "2" * 64))
    writer.commit()
    assert [(one.name, one.seq) for one in reader.artifacts("a")] == [("z", 5), ("b", 9)]
    assert [one.name for one in reader.artifacts("a", "result")] == ["b"]
    writer.begin()
    writer.forget_artifacts("a", ["z"])
    writer.commit()
    assert [one.name for one in reader.artifacts("a")] == ["b"]


def test_runs_are_listed_newest_first_by_owner_and_kind(writer, reader):
    create(
        writer,
        record("a", created=1.0),
        record("b", created=3.0, owner="bob"),
        record("c", created=2.0, kind="explain"),
    )
    assert [one.id for one in reader.runs()] == ["b", "c", "a"]
    assert [one.id for one in reader.runs(owner="ada")] == ["c", "a"]
    assert [one.id for one in reader.runs(kind="explain")] == ["c"]
    assert [one.id for one in reader.runs(limit=1)] == ["b"]


@pytest.mark.parametrize("state", ["failed", "stopped", "interrupted"])
def test_the_answer_to_a_key_is_the_newest_that_did_not_end_badly(writer, reader, state):
    create(writer, record("old", created=1.0, state="finished"), record("bad", created=2.0, state=state))
    assert reader.by_key("k").id == "old"
    create(writer, record("new", created=3.0, state="running"))
    assert reader.by_key("k").id == "new"
    assert reader.by_key("other") is None


def test_the_queue_is_first_come_first_served_among_equals(writer, reader):
    create(writer, record("b", created=2.0), record("a", created=3.0), record("r", created=1.0, state="running"))
    create(writer, record("lens", created=9.0), priority=0)
    assert [reader.queue_position(run) for run in ("b", "a", "r", "lens", "none")] == [0, 1, None, 0, None]
    assert reader.queue(priority=1) == ("b", "a")


def test_who_had_fewer_starts_in_the_last_ten_minutes_goes_first(writer, reader):
    now = time.time()
    create(
        writer,
        record("1", state="finished", started=now - 60),
        record("2", state="finished", started=now - 3600, owner="bob"),
        record("ada", created=now - 20),
        record("bob", created=now - 10, owner="bob"),
    )
    assert reader.queue(priority=1) == ("bob", "ada")


def test_many_threads_read_whole_batches_while_one_writes(writer, reader):
    create(writer, record("a"))
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seqs = [one.seq for one in reader.events("a")]
            if seqs != list(range(1, len(seqs) + 1)) or len(seqs) % 50:
                wrong.append(seqs[-3:])

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for batch in range(40):
        writer.begin()
        writer.append("a", logged(*range(batch * 50 + 1, batch * 50 + 51)))
        writer.commit()
    is_over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(reader.events("a")) == 2000


def test_a_write_outside_a_transaction_is_a_bug(writer):
    with pytest.raises(RuntimeError, match="begin"):
        writer.create(record("a"))


def test_a_reader_cannot_write(writer, reader):
    create(writer, record("a"))
    with pytest.raises(StoreError, match="readonly"):
        reader._rows(text("DELETE FROM runs"))
    assert reader.run("a") is not None


def test_old_runs_of_one_queue_are_the_ended_ones_beyond_the_newest(writer):
    create(writer, *(record(f"l{n}", created=float(n), state="finished") for n in range(6)), priority=0)
    create(writer, record("live", created=0.5, state="running"), record("waits", created=0.6), priority=0)
    create(writer, record("train", created=0.1, state="finished"))
    assert writer.old_runs(priority=0, keep=2, limit=10) == ("l3", "l2", "l1", "l0")
    assert writer.old_runs(priority=0, keep=2, limit=3) == ("l3", "l2", "l1")
    assert writer.old_runs(priority=0, keep=6, limit=3) == ()


def test_runs_beyond_so_many_bytes_are_the_oldest_ended_ones_of_one_queue_without_the_newest(writer):
    create(writer, *(record(f"l{n}", created=float(n), state="finished") for n in range(4)), priority=0)
    create(writer, record("live", created=9.0, state="running"), priority=0)
    create(writer, record("train", created=0.1, state="finished"))
    writer.begin()
    for run in ("l0", "l1", "l2", "l3", "live", "train"):
        writer.add_artifact(ArtifactRecord(run, "x", "t", 1, 1, 1000, "d"))
    writer.commit()
    assert writer.queue_bytes(priority=0) == 5000
    assert writer.queue_bytes(priority=1) == 1000
    assert writer.runs_beyond(4000, priority=0, limit=9) == ()
    assert writer.runs_beyond(3999, priority=0, limit=9) == ("l0",)
    assert writer.runs_beyond(2000, priority=0, limit=9) == ("l0", "l1")
    assert writer.runs_beyond(1, priority=0, limit=9) == ("l0", "l1", "l2")
    assert writer.runs_beyond(1, priority=0, limit=2) == ("l0", "l1")
    assert writer.runs_beyond(1, priority=1, limit=9) == ()


def test_forgotten_runs_leave_nothing_and_the_others_all(writer, reader):
    create(writer, record("a"), record("b"), record("c"))
    writer.begin()
    for run in "abc":
        writer.append(run, logged(1, 2))
        writer.add_artifact(ArtifactRecord(run, "r", "result", 1, 2, 10, "0" * 64))
    writer.forget_runs(["a", "c"])
    writer.forget_runs([])
    writer.commit()
    assert [one.id for one in reader.runs()] == ["b"]
    assert [len(reader.events(run)) for run in "abc"] == [0, 2, 0]
    assert [len(reader.artifacts(run)) for run in "abc"] == [0, 1, 0]


def test_the_last_event_of_a_name(writer):
    create(writer, record("a"))
    writer.begin()
    writer.append("a", [*logged(1, 2), LoggedEvent(3, Noticed("info", "c", "m", "")), *logged(4)])
    writer.commit()
    assert writer.last_event("a", "Progressed") == Progressed(4, 100)
    assert writer.last_event("a", "Noticed") == Noticed("info", "c", "m", "")
    assert writer.last_event("a", "Finished") is writer.last_event("b", "Progressed") is None


def a_curve(n: int) -> RunCurve:
    numbers = np.arange(1, n + 1, dtype=float)
    epochs = np.array([1.0])
    return RunCurve(
        1,
        n,
        140,
        numbers,
        (1 / numbers).astype(np.float32).astype(float),
        numbers / 8,
        epochs,
        epochs * n,
        epochs,
        np.full((4, 1), 0.5),
    )


def test_kept_runs_are_rows_with_what_was_summed_up_and_said(writer, reader):
    create(writer, record("a", created=1.0, state="finished"), record("b", created=2.0, started=2.5))
    create(writer, record("lens", created=3.0), priority=0)
    writer.begin()
    writer.summarise("a", Summary("b", 7, {"data": "Spirale é", "lr": 0.1}, {"seconds": 1.5}), a_curve(3))
    writer.summarise("a", Summary("b", 7, {"data": "Spirale é", "lr": 0.2}, {"seconds": 2.5}), a_curve(4))
    writer.say("a", tags='["x", "y"]', note="<b>")
    writer.say("a", name="named")
    writer.commit()
    b, a = reader.rows()
    assert (b.id, b.name, b.started, b.facts, b.figures, b.tags, b.deleted) == ("b", "first", 2.5, {}, {}, (), None)
    assert (a.name, a.tags, a.note, a.parent, a.parent_step) == ("named", ("x", "y"), "<b>", "b", 7)
    assert (a.facts, a.figures) == ({"data": "Spirale é", "lr": 0.2}, {"seconds": 2.5})
    assert [row.id for row in reader.rows(limit=1)] == ["b"]
    assert writer.unsummarised(10) == ("b",)


def test_a_curve_comes_back_as_it_was_written(writer, reader):
    create(writer, *(record(str(n)) for n in range(1200)))
    writer.begin()
    for n in range(1200):
        writer.summarise(str(n), Summary("", 0, {}, {}), a_curve(1 + n % 5) if n % 2 else None)
    writer.commit()
    found = reader.curves([*(str(n) for n in range(1199, -1, -1)), "none"])
    assert list(found)[:3] == ["1199", "1197", "1195"]
    assert len(found) == 600
    for field in ("steps", "losses", "seconds", "epochs", "epoch_steps", "epoch_seconds", "figures"):
        np.testing.assert_array_equal(getattr(found["1199"], field), getattr(a_curve(5), field))


def test_deleted_runs_are_hidden_until_they_are_asked_for_and_forgotten_ones_are_gone(writer, reader):
    create(writer, record("a", created=1.0), record("b", created=2.0), record("c", created=3.0))
    writer.begin()
    writer.say("a", deleted=50.0)
    writer.say("c", deleted=40.0)
    writer.say("b", deleted=60.0)
    writer.say("b", deleted=None)
    writer.commit()
    assert [row.id for row in reader.rows()] == ["b"]
    assert [(row.id, row.deleted) for row in reader.rows(with_deleted=True)] == [("c", 40.0), ("b", None), ("a", 50.0)]
    assert writer.to_sweep(50.0, 9) == ("c", "a")
    assert writer.to_sweep(45.0, 9) == ("c",)
    writer.begin()
    writer.summarise("a", Summary("", 0, {}, {"seconds": 1.0}), a_curve(2))
    writer.forget_runs(["a"])
    writer.create(record("a"))
    writer.commit()
    assert [(row.id, row.figures) for row in reader.rows()] == [("b", {}), ("a", {})]
    assert reader.curves(["a"]) == {}


def test_what_runs_take_on_the_disk_is_known_by_owner_after_every_change(writer, reader):
    create(writer, record("a", owner="ada"), record("b", owner="ada"), record("c", owner="bob"))

    def truth(*runs: str) -> int:
        files = sum(one.n_bytes for run in runs for one in reader.artifacts(run))
        return files + sum(len(dump(one.event)) for run in runs for one in reader.events(run))

    def agree() -> bool:
        return reader.stored_bytes("ada") == truth("a", "b") and reader.stored_bytes() == truth("a", "b", "c")

    assert reader.stored_bytes() == 0
    changes = [
        lambda: [writer.append("a", logged(1, 2)), writer.append("a", logged(3)), writer.append("c", logged(1))],
        lambda: [writer.add_artifact(ArtifactRecord("a", name, "t", 1, n, 1000 * n, "d")) for n, name in ((1, "x"), (3, "y"))],
        lambda: [writer.add_artifact(ArtifactRecord("a", "y", "t", 1, 3, 7, "e")), writer.append("b", logged(1, 2))],
        lambda: [writer.append("a", logged(4, 5)), writer.rewind("a", 2), writer.append("a", logged(3))],
        lambda: [writer.forget_artifacts("a", ["x"])],
        lambda: [writer.forget_runs(["b"])],
    ]
    for change in changes:
        writer.begin()
        change()
        writer.commit()
        assert agree()
    assert reader.stored_bytes("ada") > reader.stored_bytes("nobody") == 0


def test_ended_runs_come_by_their_end_with_what_they_take(writer, reader):
    create(writer, record("late", state="finished", finished=9.0), record("early", state="failed", finished=3.0))
    create(writer, record("resumed", state="queued", finished=1.0), record("second", state="stopped", finished=5.0))
    create(writer, record("lens", state="finished", finished=4.0), priority=0)
    writer.begin()
    writer.add_artifact(ArtifactRecord("early", "x", "t", 1, 1, 4096, "d"))
    writer.commit()
    found = [(one.id, one.finished, one.n_bytes) for one in reader.ended_runs(9, priority=1)]
    assert found == [("early", 3.0, 4096), ("second", 5.0, 0), ("late", 9.0, 0)]
    assert [one.id for one in reader.ended_runs(1, priority=1)] == ["early"]
    assert [one.id for one in reader.ended_runs(9, priority=0)] == ["lens"]


def test_a_rewind_forgets_the_summary(writer, reader):
    create(writer, record("a"))
    writer.begin()
    writer.summarise("a", Summary("", 0, {}, {"seconds": 1.0}), a_curve(2))
    writer.rewind("a", 0)
    writer.commit()
    assert (reader.rows()[0].figures, reader.curves(["a"])) == ({}, {})


def test_the_log_can_be_asked_for_several_names(writer):
    create(writer, record("a"))
    writer.begin()
    writer.append("a", [*logged(1, 2), LoggedEvent(3, Noticed("info", "c", "m", "")), *logged(4, 5)])
    writer.commit()
    assert [one.seq for one in writer.log("a", ["Noticed", "Progressed"], 1, 3)] == [2, 3, 4]
    assert [one.seq for one in writer.log("a", ["Noticed"], 0, 9)] == [3]
