"""The supervisor clears up: by age, by size, what no row names; never what somebody needs."""

import os
import time
from types import SimpleNamespace

import pytest

from core.experiment.experiment import Origin
from core.jobs.pool import clearing
from core.jobs.training import TrainJob
from core.store import sizes
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent
from tests.core.jobs.test_jobs_library import EVENTS, A, B, C, Desk
from tests.core.samples import spiral

DAY_S = 86_400.0
MIB = 2**20


@pytest.fixture
def make_desk(tmp_path):
    desks = []

    def make(**settings):
        desks.append(Desk(tmp_path, **settings))
        return desks[-1]

    yield make
    for desk in desks:
        desk.reader.close()
        desk.writer.close()


def end(desk, run, age_s, data=b"weights", state="finished"):
    """A run with a checkpoint that ended so long ago."""
    desk.submit(run, state=state)
    saved = ArtifactFiles(desk.settings.home).write(run, "checkpoint-1", data)

    def write():
        desk.writer.append(run, [LoggedEvent(n, event) for n, event in enumerate(EVENTS, start=1)])
        desk.writer.add_artifact(ArtifactRecord(run, "checkpoint-1", "checkpoint", 7, 1, saved.n_bytes, saved.sha256))
        finished = None if state in ("queued", "paused", "running") else time.time() - age_s
        desk.writer.update(run, finished=finished, created=time.time() - age_s)

    desk.write(write)
    return saved


def end_lens(desk, run, age_s, **more):
    """The same of the queue for lenses."""
    end(desk, run, age_s, **more)
    desk.write(lambda: desk.writer.update(run, priority=0))


def turn(desk):
    """A turn, as if the time between two looks had passed."""
    its = desk.pool._requests.library._clearing
    its._looked = its._stepped = -1e9
    desk.pool._turn()


def kept(desk):
    return {row.id for row in desk.reader.rows()}


@pytest.mark.fault(94)
def test_runs_beyond_their_days_go_with_their_files_and_logs(make_desk, tmp_path):
    desk = make_desk(keep_days=7)
    end(desk, A, 8 * DAY_S)
    end(desk, B, 6 * DAY_S)
    turn(desk)
    assert kept(desk) == {B}
    assert desk.reader.events(A) == desk.reader.artifacts(A) == ()
    assert sorted(path.name for path in (tmp_path / "artifacts").iterdir()) == [B]


@pytest.mark.fault(94)
def test_beyond_the_room_the_oldest_go(make_desk):
    desk = make_desk(store_mb=2)
    for run, age_s in ((A, 3000), (B, 2000), (C, 1000)):
        end(desk, run, age_s, data=bytes(MIB))
    turn(desk)
    assert kept(desk) == {C}
    assert desk.reader.stored_bytes() < 2 * MIB


@pytest.mark.fault(94)
def test_results_of_lens_runs_push_no_training_run_out_and_go_by_their_age(make_desk):
    desk = make_desk(store_mb=2, keep_days=7)
    end(desk, A, 3000, data=bytes(MIB))
    for run, age_s in ((B, 4000), (C, 8 * DAY_S)):
        end_lens(desk, run, age_s, data=bytes(2 * MIB))
    turn(desk)
    assert kept(desk) == {A}
    assert [desk.reader.run(run) is not None for run in (B, C)] == [True, False]


def test_large_old_results_go_and_neither_training_runs_nor_results_just_given_again_nor_the_newest(make_desk, tmp_path):
    desk = make_desk(kept_lens_mb=2)
    again, old, older, live, late, newest = (f"{n:032x}" for n in range(6))
    end(desk, A, 9000, data=bytes(3 * MIB))
    for run, age_s in ((again, 8000), (older, 7000), (old, 6000), (late, 200)):
        end_lens(desk, run, age_s, data=bytes(MIB - 2000))
    end_lens(desk, live, 8500, data=bytes(MIB), state="paused")
    desk.pool._requests.answered_again.append(again)

    def there():
        desk.pool._may_have_old_results = True  # as when a lens run has ended
        turn(desk)
        found = {path.name for path in (tmp_path / "artifacts").iterdir()}
        assert found == {run for run in (A, again, older, old, live, late, newest) if desk.reader.run(run)}
        return found

    assert there() == {A, again, old, live, late}
    end_lens(desk, newest, 100, data=bytes(4 * MIB))
    assert there() == {A, again, live, newest}
    assert kept(desk) == {A}


def test_by_default_everything_stays(make_desk):
    desk = make_desk()
    end(desk, A, 3000 * DAY_S, data=bytes(MIB))
    turn(desk)
    assert kept(desk) == {A}


@pytest.mark.fault(94)
def test_what_has_not_ended_or_is_needed_by_what_has_not_stays(make_desk):
    desk = make_desk(keep_days=1)
    saved = end(desk, A, 9 * DAY_S)
    end(desk, B, 9 * DAY_S, state="paused")
    origin = Origin(run=A, name="checkpoint-1", sha256=saved.sha256, step=7)
    fork = TrainJob(experiment=spiral(steps=20)).model_copy(update={"experiment": spiral(steps=20, origin=origin)})
    desk.submit(C)
    desk.write(lambda: desk.writer.update(C, job=fork.model_dump_json()))
    turn(desk)
    assert kept(desk) == {A, B, C}
    desk.write(lambda: desk.writer.update(C, state="finished", finished=time.time()))
    turn(desk)
    assert kept(desk) == {B, C}


def test_what_somebody_was_just_sent_to_stays(make_desk):
    desk = make_desk(keep_days=1)
    end(desk, A, 9 * DAY_S)
    desk.pool._requests.library.revive(A)
    turn(desk)
    assert kept(desk) == {A}


@pytest.mark.fault(66)
def test_a_clock_that_jumped_ahead_deletes_nothing(make_desk, monkeypatch, caplog):
    desk = make_desk(keep_days=7)
    end(desk, A, DAY_S)
    ahead = SimpleNamespace(**{name: getattr(time, name) for name in dir(time)} | {"time": lambda: time.time() + 365 * DAY_S})
    monkeypatch.setattr(clearing, "time", ahead)
    turn(desk)
    assert kept(desk) == {A}
    assert "clock was moved" in caplog.text


@pytest.mark.fault(95)
def test_files_that_no_row_names_are_removed_bit_by_bit(make_desk, tmp_path):
    desk = make_desk()
    end(desk, A, 10)
    old = time.time() - 7200
    for n in range(25):
        folder = tmp_path / "artifacts" / f"{n:032x}"
        folder.mkdir()
        (folder / "checkpoint-1").write_bytes(b"x")
        os.utime(folder, (old, old))
    part = tmp_path / "artifacts" / A / ".checkpoint-2.9.part"
    part.write_bytes(b"half")
    os.utime(part, (old, old))
    desk.pool._requests.library._clearing._passed = -1e9  # the search after the start found nothing yet
    turn(desk)
    assert len(list((tmp_path / "artifacts").iterdir())) == 26  # found, and removed only after their commit
    for _ in range(6):
        turn(desk)
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == [A]
    assert [path.name for path in (tmp_path / "artifacts" / A).iterdir()] == ["checkpoint-1"]


def test_the_database_file_shrinks_while_the_supervisor_works(make_desk, tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "FEWEST_FREE", 16)
    desk = make_desk(keep_days=1)
    end(desk, A, 2 * DAY_S)
    many = [LoggedEvent(10 + n, EVENTS[1]) for n in range(4000)]
    desk.write(lambda: desk.writer.append(A, many))

    def pages():
        return int(desk.writer._rows(sizes.PAGES)[0][0])

    before = pages()
    for _ in range(before // clearing.PAGES_AT_ONCE + 5):
        turn(desk)
    assert pages() < before / 4
    assert kept(desk) == set()
