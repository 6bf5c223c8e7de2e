"""Runs from submit to their end, with commands on the way. One supervisor serves all of these tests."""

import json
import os
import time
from pathlib import Path

import pytest

from core.errors import SpecError
from core.events import Failed, Finished, Pause, Resume, SetHyper, Step, Stop, WorkerLost
from core.jobs.pool.control import ask, socket_path
from tests.core.autogroups import needs_autogroups
from tests.core.jobs.demo_jobs import Ask, Count, curve


def test_a_run_does_its_steps_and_ends(pool):
    run = pool.end(Count(seed=3, steps=40))
    assert run.state == "finished"
    assert (run.last_step, run.attempt, run.generation) == (40, 1, 0)
    assert pool.curve(run.id) == curve(3, 40)
    assert pool.names(run.id)[0] == "Started"
    assert pool.names(run.id)[-1] == "Finished"
    assert run.last_seq == len(pool.names(run.id))


def test_checkpoints_have_a_file_with_the_digest_of_their_row(pool):
    run = pool.end(Count(seed=4, steps=30))
    artifacts = pool.store.artifacts(run.id, "checkpoint")
    assert [one.step for one in artifacts] == [10, 20, 30]
    assert json.loads(pool.client.artifact_bytes(run.id, artifacts[1].name))["step"] == 20


@pytest.mark.fault(68)
def test_files_socket_and_database_are_private(pool):
    pool.end(Count(seed=5, steps=10))
    private = [pool.home / "runs.db", socket_path(pool.home), *(pool.home / "artifacts").rglob("checkpoint*")]
    assert len(private) > 2
    assert {oct(path.stat().st_mode & 0o077) for path in [*private, pool.home, pool.home / "artifacts"]} == {"0o0"}


def test_pause_step_and_resume_do_each_step_once(pool):
    run = pool.client.submit(Count(seed=6, steps=120, step_s=0.01))
    pool.wait_for_step(run, 5)
    pool.client.command(run, Pause())
    paused_at = pool.wait_for(run, "paused").last_step
    time.sleep(0.15)
    assert pool.store.run(run).last_step == paused_at
    pool.client.command(run, Step(3))
    pool.wait_for_step(run, paused_at + 3)
    time.sleep(0.15)
    assert (pool.state(run), pool.store.run(run).last_step) == ("paused", paused_at + 3)
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    assert pool.curve(run) == curve(6, 120)
    assert pool.names(run).count("Resumed") == 1


def test_a_learning_rate_changes_while_the_run_goes_on_and_while_it_waits(pool):
    run = pool.client.submit(Count(seed=7, steps=100, step_s=0.01))
    pool.wait_for_step(run, 5)
    pool.client.command(run, SetHyper(0, "lr", 0.25))
    pool.wait(lambda: 0.25 in pool.changes(run).values())
    pool.client.command(run, Pause())
    pool.wait_for(run, "paused")
    pool.client.command(run, SetHyper(0, "lr", 0.125))
    pool.wait(lambda: 0.125 in pool.changes(run).values())
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    assert len(pool.changes(run)) == 2
    assert pool.curve(run) == curve(7, 100, pool.changes(run))


def test_stop_keeps_the_result(pool):
    run = pool.client.submit(Count(seed=8, steps=10_000, step_s=0.01, checkpoint_every=0))
    pool.wait_for_step(run, 5)
    pool.client.command(run, Stop())
    record = pool.wait_for(run, "stopped")
    (last,) = pool.store.artifacts(run, "checkpoint")
    assert last.step == record.last_step >= 5
    assert pool.curve(run) == curve(8, record.last_step)
    assert pool.store.events(run)[-1].event == Finished("stopped", record.last_step, 0.0)


@pytest.mark.fault(58)
def test_a_run_that_hangs_is_stopped_within_three_seconds(pool):
    run = pool.client.submit(Count(seed=9, trouble="hang", trouble_at=5))
    pool.wait_for_step(run, 4)  # what was done before the hang is not held back
    asked = time.monotonic()
    pool.client.command(run, Stop())
    pool.wait_for(run, "stopped")
    assert 1.5 < time.monotonic() - asked < 4.0
    assert pool.curve(run) == curve(9, 4)


@pytest.mark.fault(56)
@pytest.mark.fault(59)
def test_a_refusal_a_bug_and_too_much_memory_end_in_words(pool):
    refused = pool.end(Count(trouble="refuse"))
    bug = pool.end(Count(trouble="bug"))
    memory = pool.end(Count(trouble="memory"))
    ends = [pool.store.events(one.id)[-1].event for one in (refused, bug, memory)]
    assert all(isinstance(end, Failed) and end.step == 4 and end.hint for end in ends)
    assert [end.code for end in ends] == ["training-error", "bug", "out-of-memory"]
    assert ends[0].message == "The loss became infinite."
    assert ends[1].message == "Something went wrong inside Layerwise: KeyError: 'canary of the traceback'."
    assert {one.state for one in (refused, bug, memory)} == {"failed"}
    assert "canary of the traceback" in (pool.home / "logs" / "worker.log").read_text()


@pytest.mark.fault(55)
def test_a_worker_that_always_dies_is_given_up(pool):
    run = pool.end(Count(seed=10, trouble="exit", trouble_at=15))
    events = [logged.event for logged in pool.store.events(run.id)]
    assert (run.state, run.attempt) == ("interrupted", 3)
    assert [event.retried for event in events if isinstance(event, WorkerLost)] == [True, True, False]
    assert isinstance(events[-1], Failed)
    assert "code 3" in events[-1].message
    assert pool.curve(run.id) == curve(10, 14)[: len(pool.curve(run.id))]


def test_a_lens_job_asked_twice_is_answered_once(pool):
    first = pool.end(Ask(question="why"))
    assert pool.client.artifact_bytes(first.id, "answer") == b"WHY"
    assert pool.client.submit(Ask(question="why")) == first.id
    other = pool.end(Ask(question="how"))
    assert other.id != first.id
    assert pool.pid(other.id) == pool.pid(first.id)  # the warm worker is used again
    (pool.home / "artifacts" / first.id / "answer").unlink()
    assert pool.client.submit(Ask(question="why")) != first.id


def test_a_training_job_asked_twice_runs_twice_in_two_processes(pool):
    first, second = pool.end(Count(seed=11, steps=5)), pool.end(Count(seed=11, steps=5))
    assert first.id != second.id
    assert pool.pid(first.id) != pool.pid(second.id)
    assert pool.curve(first.id) == pool.curve(second.id)


def test_a_failed_lens_job_is_done_again(pool):
    first = pool.end(Ask(question="fail", fails=True))
    assert first.state == "failed"
    assert pool.client.submit(Ask(question="fail", fails=True)) != first.id


def test_a_lens_job_stops_within_its_work_and_its_worker_serves_the_next(pool):
    run = pool.client.submit(Ask(question="long", total=10_000, unit_s=0.01))
    pool.wait(lambda: "Progressed" in pool.names(run))
    pool.client.command(run, Stop())
    pool.wait_for(run, "stopped")
    after = pool.end(Ask(question="after"))
    assert after.state == "finished"


def test_a_lens_job_takes_no_other_command_than_stop(pool):
    run = pool.client.submit(Ask(question="no pause", total=10_000, unit_s=0.01))
    with pytest.raises(SpecError, match="only be stopped"):
        pool.client.command(run, Pause())
    pool.client.command(run, Stop())
    pool.wait_for(run, "stopped")


def test_two_lens_jobs_work_side_by_side(pool):
    slow = pool.client.submit(Ask(question="slow", total=400, unit_s=0.01))
    quick = pool.end(Ask(question="quick"))
    assert quick.state == "finished"
    assert pool.state(slow) in ("starting", "running")
    pool.client.command(slow, Stop())


@pytest.mark.fault(123)
def test_commands_that_make_no_sense_are_refused_in_words(pool):
    run = pool.end(Count(seed=12, steps=5))
    with pytest.raises(SpecError, match="This run is finished"):
        pool.client.command(run.id, Pause())
    with pytest.raises(SpecError, match="no such run"):
        pool.client.command("../../etc/passwd", Pause())
    with pytest.raises(SpecError, match="must be 1 to"):
        pool.client.command(run.id, Step(0))


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"ask": "rm"},
        {"ask": ["submit"]},
        {"ask": "submit", "run": "../x", "job": "{}"},
        {"ask": "submit", "run": "0" * 32, "job": '{"kind":"count","steps":0}'},
        {"ask": "submit", "run": "0" * 32, "job": '{"kind":"nothing"}'},
        {"ask": "submit", "run": "0" * 32, "job": "[" * 60_000},
        {"ask": "command", "run": "0" * 32, "command": "Explode", "fields": "{}"},
        {"ask": "command", "run": "0" * 32, "command": "Step", "fields": '{"n":"many"}'},
    ],
)
def test_a_request_that_is_wrong_is_refused_and_the_supervisor_lives(pool, request_):
    pool.client.status()
    pool.end(Ask(question="alive"))
    answer = ask(pool.home, request_, timeout_s=5)
    assert answer["error"]["kind"] == "SpecError"
    assert answer["error"]["message"]
    assert pool.client.submit(Ask(question="alive"))


@pytest.mark.fault(123)
def test_the_same_submission_sent_twice_makes_one_run(pool):
    pool.end(Count(seed=13, steps=5))
    request = {"ask": "submit", "run": "ab" * 16, "job": Count(seed=14).model_dump_json(), "owner": "", "name": ""}
    assert ask(pool.home, request, timeout_s=5) == ask(pool.home, request, timeout_s=5) == {"run": "ab" * 16}


@pytest.mark.fault(28)
def test_names_lose_what_could_deceive(pool):
    run = pool.client.submit(Count(seed=15, steps=5), name="a\x1b[31m\u202eb\n" + "c" * 500)
    assert pool.store.run(run).name == "a[31mb" + "c" * 194


@pytest.mark.fault(68)
def test_workers_see_no_secret_and_one_thread(pool):
    run = pool.client.submit(Count(seed=16, steps=100, step_s=0.02))
    pool.wait_for_step(run, 1)
    environment = Path(f"/proc/{pool.pid(run)}/environ").read_bytes()
    assert b"canary-7391" not in environment
    assert b"OMP_NUM_THREADS=1" in environment
    assert os.getpriority(os.PRIO_PROCESS, pool.pid(run)) == 19
    pool.client.command(run, Stop())


@needs_autogroups
def test_workers_give_way_to_other_sessions_but_not_while_somebody_waits(pool):
    run = pool.client.submit(Count(seed=18, steps=2000, step_s=0.01))
    pool.wait_for_step(run, 1)
    group = Path(f"/proc/{pool.pid(run)}/autogroup")
    assert os.getsid(pool.pid(run)) == pool.pid(run)
    assert group.read_text().split()[1:] == ["nice", "19"]
    pool.client.command(run, SetHyper(0, "lr", 0.25))
    pool.wait(lambda: group.read_text().split()[1:] == ["nice", "0"], 5)
    pool.wait(lambda: group.read_text().split()[1:] == ["nice", "19"], 5)
    pool.client.command(run, Stop())


def test_what_was_submitted_is_soon_on_the_disk(pool):
    pool.end(Count(seed=17, steps=5))
    times = []
    for seed in range(5):
        pool.wait(lambda: pool.client.status().is_warm)
        begun = time.monotonic()
        run = pool.client.submit(Count(seed=100 + seed, steps=5))
        pool.wait(lambda run=run: "StepsDone" in pool.names(run))
        times.append(time.monotonic() - begun)
    assert sorted(times)[2] < 0.5


def test_a_damaged_answer_is_not_given_again(pool):
    first = pool.end(Ask(question="damaged"))
    (pool.home / "artifacts" / first.id / "answer").write_bytes(b"DAMAGES")
    second = pool.end(Ask(question="damaged"))
    assert second.id != first.id
    assert pool.client.artifact_bytes(second.id, "answer") == b"DAMAGED"


def test_old_answers_are_forgotten_with_their_files_and_runs_that_train_are_not(make_pool):
    pool = make_pool(kept_lens_runs=2)
    trained = pool.end(Count(seed=18, steps=10))
    runs = [pool.end(Ask(question=f"question {n}")).id for n in range(5)]
    pool.wait(lambda: [pool.state(run) for run in runs] == ["unknown"] * 3 + ["finished"] * 2)
    folder = pool.home / "artifacts"
    pool.wait(lambda: {one.name for one in folder.iterdir()} == {trained.id, *runs[3:]})
    assert pool.store.events(runs[0]) == pool.store.artifacts(runs[0]) == ()
    assert pool.curve(trained.id) == curve(18, 10)


def test_an_old_answer_that_was_just_given_again_stays(make_pool):
    pool = make_pool(kept_lens_runs=2)
    first = pool.end(Ask(question="first"))
    assert pool.client.submit(Ask(question="first")) == first.id
    others = [pool.end(Ask(question=f"other {n}")).id for n in range(4)]
    pool.wait(lambda: pool.state(others[0]) == "unknown")
    assert pool.client.artifact_bytes(first.id, "answer") == b"FIRST"


def test_pauses_take_no_turn_from_others_and_long_ones_give_their_worker_back(make_pool):
    pool = make_pool(max_running=1, max_queued=1, pause_s=0.5)
    paused = pool.client.submit(Count(seed=19, steps=60, step_s=0.01))
    pool.wait_for_step(paused, 15)
    pool.client.command(paused, Pause())
    paused_at = pool.wait_for(paused, "paused").last_step
    pid = pool.pid(paused)
    assert pool.end(Count(seed=20, steps=20)).state == "finished"
    pool.wait(lambda: not Path(f"/proc/{pid}").exists())
    assert (pool.state(paused), pool.store.run(paused).last_step) == ("paused", paused_at)
    pool.client.command(paused, Step(2))
    pool.wait(lambda: (pool.state(paused), pool.store.run(paused).last_step) == ("paused", paused_at + 2))
    pool.client.command(paused, Resume())
    record = pool.wait_for(paused, "finished")
    assert pool.curve(paused) == curve(19, 60)
    assert "WorkerLost" not in pool.names(paused)
    assert record.attempt <= 2
