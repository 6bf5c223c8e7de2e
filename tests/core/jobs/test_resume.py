"""An ended run goes on from its newest whole checkpoint, and its curve is the one that would have been."""

import os
import signal

import pytest

from core.errors import SpecError
from core.events import Failed, Noticed, Pause, Resume, SetHyper, Stop
from core.jobs.resuming import AGAIN, reason_against_resume
from tests.core.jobs.demo_jobs import Ask, Count, curve


def notices(pool, run):
    return [logged.event.message for logged in pool.store.events(run) if isinstance(logged.event, Noticed)]


@pytest.mark.fault(81)
def test_a_stopped_run_goes_on_where_it_was_stopped(pool):
    run = pool.client.submit(Count(seed=61, steps=80, step_s=0.01))
    pool.wait_for_step(run, 12)
    pool.client.command(run, SetHyper(0, "lr", 0.25))
    pool.wait(lambda: pool.changes(run))
    pool.client.command(run, Stop())
    stopped = pool.wait_for(run, "stopped")
    pool.client.command(run, Resume())
    record = pool.wait_for(run, "finished")
    assert notices(pool, run) == [f"This run was resumed from its checkpoint after step {stopped.last_step:,}."]
    assert pool.names(run).count("Finished") == 1
    assert (record.attempt, record.generation, record.reason) == (1, 1, "completed")
    assert pool.curve(run) == curve(61, 80, pool.changes(run))


def test_a_run_that_was_stopped_before_it_began_starts_over(make_pool):
    pool = make_pool(max_running=1)
    first = pool.client.submit(Count(seed=62, steps=1000, step_s=0.01))
    pool.wait_for(first, "running")
    waiting = pool.client.submit(Count(seed=63, steps=20))
    pool.client.command(waiting, Pause())  # a pause before the end does not come back
    pool.client.command(waiting, Stop())
    pool.wait_for(waiting, "stopped")
    pool.client.command(waiting, Resume())
    pool.client.command(first, Stop())
    pool.wait_for(waiting, "finished")
    assert notices(pool, waiting) == ["This run was resumed. It had no checkpoint yet, so it starts over from step 0."]
    assert pool.curve(waiting) == curve(63, 20)


@pytest.mark.fault(90)
def test_an_interrupted_run_can_be_resumed_and_its_attempts_count_anew(pool):
    run = pool.client.submit(Count(seed=64, steps=90, step_s=0.01))
    for n in (1, 2, 3):
        pool.wait_for_step(run, 10 * n + 2)
        pool.wait(lambda: pool.state(run) == "running")
        os.kill(pool.pid(run), signal.SIGKILL)
        pool.wait(lambda n=n: pool.names(run).count("WorkerLost") == n)
    assert pool.wait_for(run, "interrupted").attempt == 3
    lost = pool.curve(run)
    pool.client.command(run, Resume())
    record = pool.wait_for(run, "finished")
    assert record.attempt == 1
    assert "Failed" not in pool.names(run)
    assert pool.curve(run) == curve(64, 90)
    assert pool.curve(run)[: len(lost)] == lost


@pytest.mark.fault(63)
@pytest.mark.fault(90)
@pytest.mark.parametrize("trouble", ["memory", "cuda", "disk"])
def test_a_run_that_failed_by_no_fault_of_its_own_goes_on_once_the_trouble_is_over(pool, tmp_path, trouble):
    mended = tmp_path / "mended"
    run = pool.end(Count(seed=65, steps=40, trouble=trouble, trouble_at=25, mended=str(mended)))
    end = pool.store.events(run.id)[-1].event
    failed_at = 30 if trouble == "disk" else 24  # where the next checkpoint could not be written
    assert (run.state, run.last_step, end.step) == ("failed", failed_at, failed_at)
    mended.touch()
    pool.client.command(run.id, Resume())
    pool.wait_for(run.id, "finished")
    assert "checkpoint after step 20" in notices(pool, run.id)[0]
    assert pool.curve(run.id) == curve(65, 40)


def test_what_has_ended_for_good_is_not_resumed_and_says_why(pool):
    done = pool.end(Count(seed=66, steps=5))
    with pytest.raises(SpecError, match="nothing left to resume"):
        pool.client.command(done.id, Resume())
    refused = pool.end(Count(trouble="refuse"))
    with pytest.raises(SpecError, match=r"would fail again in the same way: The loss became infinite\."):
        pool.client.command(refused.id, Resume())
    asked = pool.end(Ask(question="no resume", fails=True))
    with pytest.raises(SpecError, match="only be stopped"):
        pool.client.command(asked.id, Resume())
    assert {pool.state(one.id) for one in (refused, asked)} == {"failed"}


def test_a_diverged_run_is_not_resumed():
    reason, hint = reason_against_resume(Failed("diverged", "NaN", "", 7))
    assert "diverge again" in reason
    assert "smaller learning rate" in hint
    assert "diverged" not in AGAIN


@pytest.mark.fault(67)
def test_somebody_else_cannot_resume_a_run(pool):
    run = pool.client.of("a" * 32).submit(Count(seed=67, steps=1000, step_s=0.01))
    pool.wait_for_step(run, 2)
    pool.client.command(run, Stop())
    pool.wait_for(run, "stopped")
    with pytest.raises(SpecError, match="belongs to somebody else"):
        pool.client.of("b" * 32).command(run, Resume())
    assert pool.state(run) == "stopped"


def test_a_run_in_the_bin_that_is_resumed_is_out_of_the_bin(pool):
    run = pool.client.submit(Count(seed=68, steps=30, step_s=0.01))
    pool.wait_for_step(run, 3)
    pool.client.command(run, Stop())
    pool.wait_for(run, "stopped")
    pool.client.delete([run])
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    (row,) = [row for row in pool.store.rows() if row.id == run]
    assert row.deleted is None
