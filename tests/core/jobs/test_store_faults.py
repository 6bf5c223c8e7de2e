"""The supervisor's disk is full, its database held by somebody else, its files damaged: it says so, and nothing is lost."""

import resource
import sqlite3
import threading
import time

import pytest

from core.errors import StoreError
from core.events import Pause, Started, StepsDone, WorkerLost
from core.jobs.messages import Assignment, Carry
from core.jobs.pool import standstill
from core.jobs.pool.control import Control, ask
from core.jobs.pool.loop import Pool
from core.jobs.pool.running import LiveRun
from core.jobs.pool.standstill import Standstill
from core.settings import Settings
from core.store.sql import SqlWriter
from tests.core.jobs.conftest import DEMO
from tests.core.jobs.demo_jobs import Ask, Count, curve
from tests.core.jobs.test_jobs_book import RUN, STARTED, StubEngine, StubWorker, record, steps
from tests.core.jobs.test_jobs_recovery import is_alive, supervisor_pid


def limit_files(pid: int, n_bytes: int) -> None:
    """From now on this process can write no file beyond so many bytes, as on a full disk."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (n_bytes, hard))


def is_refused(pool, job) -> bool:
    try:
        pool.client.submit(job)
    except StoreError as error:
        return "database of runs" in error.message
    return False


def is_whole(pool) -> bool:
    connection = sqlite3.connect(pool.home / "runs.db")
    answer = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return answer == ("ok",)


@pytest.mark.fault(82)
def test_a_supervisor_that_can_write_nothing_says_so_and_goes_on_once_there_is_room(make_pool):
    pool = make_pool()
    run = pool.client.submit(Count(seed=71, steps=150, step_s=0.01))
    paused = pool.client.submit(Count(seed=72, steps=40, step_s=0.01))
    pool.wait_for_step(paused, 12)
    pool.client.command(paused, Pause())
    pool.wait_for(paused, "paused")
    supervisor, worker = supervisor_pid(pool), pool.pid(run)
    limit_files(supervisor, 16_384)
    pool.wait(lambda: is_refused(pool, Ask(question="no room")))
    acknowledged = pool.curve(run)
    pool.wait(lambda: not is_alive(worker))  # what it would say could not be kept
    assert ask(pool.home, {"ask": "status"}, timeout_s=5)["error"]["kind"] == "StoreError"
    limit_files(supervisor, resource.RLIM_INFINITY)
    pool.wait_for(run, "finished")
    assert pool.curve(run) == curve(71, 150)
    assert pool.curve(run)[: len(acknowledged)] == acknowledged
    lost = [logged.event for logged in pool.store.events(run) if isinstance(logged.event, WorkerLost)]
    assert {event.reason for event in lost} == {"nothing could be written to the disk"}
    assert pool.store.run(run).attempt == 1  # it was not the run's fault
    assert pool.state(paused) == "paused"
    assert supervisor_pid(pool) == supervisor
    assert is_whole(pool)


@pytest.fixture
def standing(tmp_path, monkeypatch):
    """A standstill of a folder, without a supervisor."""
    monkeypatch.setattr(standstill, "FIRST_S", 0.05)
    (tmp_path / "lock").touch()
    control = Control(tmp_path)
    yield Standstill(control, tmp_path / "lock")
    control.close()


FULL = StoreError("The disk is full.", hint="Make room.")


def test_a_standstill_tries_more_and_more_rarely(standing):
    times = []
    for _ in range(4):
        begun = time.monotonic()
        assert standing.wait(FULL)
        times.append(time.monotonic() - begun)
    assert [time_s >= wanted for time_s, wanted in zip(times, (0.05, 0.1, 0.2, 0.4), strict=True)] == [True] * 4


def test_a_standstill_ends_when_its_folder_is_taken_away_or_it_is_told_to(standing, tmp_path):
    asking = threading.Thread(target=ask, args=(tmp_path, {"ask": "shutdown"}), kwargs={"timeout_s": 5})
    asking.start()
    standing._pause_s = 10.0
    standing._last = time.monotonic()
    assert not standing.wait(FULL)
    asking.join()
    (tmp_path / "lock").unlink()
    begun = time.monotonic()
    assert not standing.wait(FULL)
    assert time.monotonic() - begun < 1


@pytest.mark.fault(83)
def test_a_database_that_somebody_else_holds_delays_and_costs_nothing(tmp_path, monkeypatch):
    """One process, so that nobody has to wait the five seconds that SQLite waits by itself."""
    monkeypatch.setenv("LAYERWISE_JOBS", DEMO["LAYERWISE_JOBS"])
    home = tmp_path / "home"
    home.mkdir()
    store, control, worker = SqlWriter(home / "runs.db"), Control(home), StubWorker()
    store._connection.exec_driver_sql("PRAGMA busy_timeout=0")
    store._connection.rollback()
    store.begin()
    store.create(record())
    store.commit()
    pool = Pool(Settings(home=home), store, StubEngine(), control)
    pool._live[RUN] = LiveRun.begin(record(), worker, Assignment(RUN, "", 0, None, Carry()))
    other = sqlite3.connect(home / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    worker.say(STARTED, steps(1, 5, 1.0))
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(home, {"ask": "status"}, timeout_s=5)))
    asking.start()
    while not answers:
        pool._turn()
    asking.join()
    assert answers[0]["error"]["kind"] == "StoreError"
    assert "locked" in answers[0]["error"]["message"]
    assert (worker.alive, len(worker.said), store.events(RUN)) == (True, 1, ())
    other.execute("ROLLBACK")
    pool._turn()
    assert [type(logged.event) for logged in store.events(RUN)] == [Started, StepsDone]
    for one in (other, control, store):
        one.close()


@pytest.mark.fault(83)
@pytest.mark.slow_fault
def test_a_database_that_is_held_for_eight_seconds_leaves_run_and_worker_as_they_are(make_pool):
    pool = make_pool()
    run = pool.client.submit(Count(seed=73, steps=1500, step_s=0.01))
    pool.wait_for_step(run, 15)
    worker = pool.pid(run)
    other = sqlite3.connect(pool.home / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    held = time.monotonic()
    pool.wait(lambda: is_refused(pool, Ask(question="locked")))
    pool.wait(lambda: time.monotonic() - held > 8)
    other.execute("ROLLBACK")
    other.close()
    pool.wait_for(run, "finished")
    assert (pool.store.run(run).attempt, pool.store.run(run).generation, pool.pid(run)) == (1, 0, worker)
    assert pool.curve(run) == curve(73, 1500)


@pytest.mark.fault(84)
def test_a_lens_result_that_was_damaged_on_the_disk_is_found_again_by_asking(pool):
    first = pool.end(Ask(question="bits"))
    file = pool.home / "artifacts" / first.id / "answer"
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        pool.client.artifact_bytes(first.id, "answer")
    again = pool.end(Ask(question="bits"))
    assert again.id != first.id
    assert pool.client.artifact_bytes(again.id, "answer") == b"BITS"
