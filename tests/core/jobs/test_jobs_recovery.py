"""What is left after a kill: the curve that would have been, and no orphan."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import TooExpensive
from core.events import Failed, Pause, Resume, SetHyper, Stop, WorkerLost
from core.jobs.pool.control import MAX_PATH_BYTES, socket_path
from tests.core.jobs.conftest import DemoPool
from tests.core.jobs.demo_jobs import Ask, Count, curve
from tests.core.jobs.processes import descendants


def is_alive(pid: int) -> bool:
    """Whether a process with this id is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def supervisor_pid(pool) -> int:
    return pool.client._starter._started[-1].pid


@pytest.mark.fault(54)
def test_a_killed_worker_is_replaced_and_the_curve_is_the_same(pool):
    run = pool.client.submit(Count(seed=21, steps=100, step_s=0.01))
    for step in (13, 37):
        pool.wait_for_step(run, step)
        os.kill(pool.pid(run), signal.SIGKILL)
        pool.wait(lambda step=step: pool.names(run).count("WorkerLost") == (1 if step == 13 else 2))
    record = pool.wait_for(run, "finished")
    assert (record.attempt, record.generation) == (3, 2)
    assert pool.curve(run) == curve(21, 100)
    lost = [logged.event for logged in pool.store.events(run) if isinstance(logged.event, WorkerLost)]
    assert [event.reason for event in lost] == ["its process was ended by SIGKILL"] * 2
    assert record.last_seq == len(pool.names(run))


def test_a_worker_killed_before_its_first_checkpoint_starts_again_from_nothing(pool):
    run = pool.client.submit(Count(seed=22, steps=30, step_s=0.02, checkpoint_every=0))
    pool.wait_for_step(run, 5)
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait_for(run, "finished")
    assert pool.names(run)[:2] == ["WorkerLost", "Started"]
    assert pool.curve(run) == curve(22, 30)


def test_a_change_after_the_last_checkpoint_is_made_again_even_after_two_kills(pool):
    run = pool.client.submit(Count(seed=23, steps=90, step_s=0.02, checkpoint_every=40))
    pool.wait_for_step(run, 45)
    pool.client.command(run, SetHyper(0, "lr", 0.25))
    pool.wait(lambda: pool.changes(run))
    made = pool.changes(run)
    (changed_at,) = made
    pool.wait_for_step(run, changed_at + 3)
    os.kill(pool.pid(run), signal.SIGKILL)
    # The second kill comes before the change was made again.
    pool.wait(lambda: pool.names(run).count("Started") == 2)
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait_for(run, "finished")
    assert pool.changes(run) == made
    assert pool.names(run).count("WorkerLost") == 2
    assert pool.curve(run) == curve(23, 90, made)
    assert pool.curve(run) != curve(23, 90)


def test_a_paused_run_whose_worker_was_killed_waits_at_the_same_step(pool):
    run = pool.client.submit(Count(seed=24, steps=120, step_s=0.01, checkpoint_every=20))
    pool.wait_for_step(run, 25)
    pool.client.command(run, Pause())
    paused_at = pool.wait_for(run, "paused").last_step
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait(lambda: "WorkerLost" in pool.names(run) and pool.state(run) == "paused")
    assert pool.store.run(run).last_step == paused_at
    pool.client.command(run, Resume())
    pool.wait_for_step(run, 65)
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait_for(run, "finished")  # a pause that is over does not come back
    assert pool.curve(run) == curve(24, 120)


@pytest.mark.fault(64)
def test_a_damaged_newest_checkpoint_is_passed_over(pool):
    run = pool.client.submit(Count(seed=25, steps=60, step_s=0.02))
    pool.wait(lambda: len(pool.store.artifacts(run, "checkpoint")) >= 2)
    os.kill(pool.pid(run), signal.SIGSTOP)
    newest = pool.store.artifacts(run, "checkpoint")[-1]
    before = pool.store.artifacts(run, "checkpoint")[-2]
    file = pool.home / "artifacts" / run / newest.name
    file.write_bytes(file.read_bytes().replace(b"lr", b"rl"))
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait(lambda: "WorkerLost" in pool.names(run))
    pool.wait_for(run, "finished")
    started = [logged.event.step for logged in pool.store.events(run) if type(logged.event).__name__ == "Started"]
    assert started == [0, before.step]
    assert pool.curve(run) == curve(25, 60)


def test_a_killed_lens_worker_is_replaced_and_its_job_done(pool):
    run = pool.client.submit(Ask(question="killed", total=100, unit_s=0.01))
    pool.wait(lambda: "Progressed" in pool.names(run))
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait_for(run, "finished")
    assert pool.client.artifact_bytes(run, "answer") == b"KILLED"


@pytest.mark.fault(60)
def test_the_supervisor_is_killed_without_orphans_and_its_restart_goes_on(make_pool):
    pool = make_pool()
    run = pool.client.submit(Count(seed=26, steps=80, step_s=0.02))
    pool.wait_for_step(run, 15)
    supervisor = supervisor_pid(pool)
    family = descendants(supervisor)
    assert pool.pid(run) in family
    os.kill(supervisor, signal.SIGKILL)
    pool.wait(lambda: not any(map(is_alive, family)), 1.0)
    assert pool.state(run) == "running"  # nobody is there to write otherwise
    acknowledged = pool.curve(run)
    pool.client.ensure_supervisor()
    record = pool.wait_for(run, "finished")
    assert record.attempt == 1  # it was not the run's fault
    assert pool.curve(run) == curve(26, 80)
    assert pool.curve(run)[: len(acknowledged)] == acknowledged
    connection = sqlite3.connect(pool.home / "runs.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.fault(61)
def test_the_forkserver_is_killed_and_the_next_run_starts(make_pool):
    pool = make_pool()
    first = pool.client.submit(Count(seed=27, steps=200, step_s=0.02))
    pool.wait_for_step(first, 1)
    forkserver = int(Path(f"/proc/{pool.pid(first)}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(forkserver, signal.SIGKILL)
    pool.wait(lambda: "WorkerLost" in pool.names(first))
    second = pool.end(Count(seed=28, steps=20))
    assert pool.curve(second.id) == curve(28, 20)
    pool.client.command(first, Stop())


@pytest.mark.fault(67)
def test_a_second_supervisor_is_refused_in_words(pool):
    pool.end(Ask(question="here"))
    command = [sys.executable, "-m", "core.jobs.supervisor", "--home", str(pool.home)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 2
    assert "at work" in second.stderr
    assert "Traceback" not in second.stderr
    assert subprocess.run([*command, "--ensure"], capture_output=True, timeout=20, check=False).returncode == 0
    assert pool.end(Ask(question="still here")).state == "finished"


@pytest.mark.fault(58)
def test_a_run_that_is_silent_for_too_long_fails_and_a_paused_one_does_not(make_pool, tmp_path):
    pool = make_pool(hang_s=2.0)
    paused = pool.client.submit(Count(seed=29, steps=60, step_s=0.02))
    pool.wait_for_step(paused, 2)
    pool.client.command(paused, Pause())
    hung = pool.end(Count(seed=30, trouble="hang", mended=str(tmp_path / "mended")))
    end = pool.store.events(hung.id)[-1].event
    assert isinstance(end, Failed)
    assert (hung.state, end.code) == ("failed", "hung")
    assert "2 s" in end.message
    assert pool.curve(hung.id) == curve(30, 4)
    assert pool.state(paused) == "paused"
    (tmp_path / "mended").touch()
    pool.client.command(hung.id, Resume())
    pool.wait_for(hung.id, "finished")
    assert pool.curve(hung.id) == curve(30, 50)


def test_the_queue_has_an_end_an_order_and_a_way_out(make_pool):
    pool = make_pool(max_running=1, max_queued=2)
    first = pool.client.submit(Count(seed=31, steps=1000, step_s=0.01), owner="a")
    pool.wait_for(first, "running")
    second = pool.client.submit(Count(seed=32, steps=5), owner="a")
    third = pool.client.submit(Count(seed=33, steps=5), owner="b")
    with pytest.raises(TooExpensive, match="3 runs are unfinished, the limit is 3"):
        pool.client.submit(Count(seed=34, steps=5), owner="c")
    assert [pool.store.queue_position(run) for run in (first, second, third)] == [None, 1, 0]  # "a" has had a start
    pool.client.command(second, Stop())
    assert pool.wait_for(second, "stopped").last_seq == 1
    assert pool.state(third) == "queued"
    pool.client.command(first, Stop())
    pool.wait_for(third, "finished")


def test_a_home_with_a_long_path_has_its_socket_elsewhere_in_private(make_pool, tmp_path):
    home = tmp_path / ("long" * 40)
    pool = make_pool(home)
    path = socket_path(home)
    assert len(os.fsencode(path)) <= MAX_PATH_BYTES
    assert path.parent != home
    assert path.parent.stat().st_mode & 0o077 == 0
    assert pool.end(Count(seed=35, steps=5)).state == "finished"


def test_random_kills_leave_every_curve_as_it_would_have_been(make_pool):
    pool = make_pool(max_attempts=100)
    draw = random.Random(5)
    runs = {seed: pool.client.submit(Count(seed=seed, steps=150, step_s=0.01)) for seed in (41, 42, 43)}
    for n_kills in range(1, 13):
        pool.wait(lambda: any(pool.state(run) == "running" for run in runs.values()))
        victims = [run for run in runs.values() if pool.state(run) == "running"]
        os.kill(pool.pid(draw.choice(victims)), signal.SIGKILL)
        pool.wait(lambda n=n_kills: sum(pool.names(run).count("WorkerLost") for run in runs.values()) >= n)
        time.sleep(draw.random() / 5)
    for seed, run in runs.items():
        pool.wait_for(run, "finished")
        assert pool.curve(run) == curve(seed, 150)


def test_a_supervisor_of_a_chosen_folder_tells_it_to_its_workers(tmp_path, demo_environment):
    home = tmp_path / "chosen"
    environment = {name: value for name, value in os.environ.items() if name not in ("LAYERWISE_HOME", "LAYERWISE_DATA")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    command = [sys.executable, "-m", "core.jobs.supervisor", "--home", "chosen"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        pool = DemoPool(home)
        pool.wait(socket_path(home).exists)
        run = pool.client.submit(Count(seed=50, steps=1000, step_s=0.02))
        pool.wait_for_step(run, 1)
        seen = Path(f"/proc/{pool.pid(run)}/environ").read_bytes().split(b"\0")
        pool.close()
        process.wait(20)
    assert f"LAYERWISE_HOME={home}".encode() in seen
    assert f"LAYERWISE_DATA={tmp_path / '.layerwise/data'}".encode() in seen


def test_a_paused_run_waits_for_resume_after_its_supervisor_was_killed(make_pool):
    pool = make_pool()
    run = pool.client.submit(Count(seed=51, steps=60, step_s=0.01))
    pool.wait_for_step(run, 15)
    pool.client.command(run, Pause())
    paused_at = pool.wait_for(run, "paused").last_step
    os.kill(supervisor_pid(pool), signal.SIGKILL)
    pool.client.ensure_supervisor()
    pool.wait(lambda: pool.client.status().is_warm)
    assert (pool.state(run), pool.store.run(run).last_step) == ("paused", paused_at)
    pool.client.command(run, Resume())
    assert pool.wait_for(run, "finished").attempt == 2
    assert pool.curve(run) == curve(51, 60)
