"""The supervisor's rooms without processes: what is written when a worker speaks nonsense, hangs or is stopped."""

import threading
import time
from types import SimpleNamespace

import pytest

from core.errors import MissingData, SpecError
from core.events import (
    ArtifactSaved,
    Failed,
    Finished,
    Noticed,
    Pause,
    Paused,
    RemoveLane,
    Resume,
    SetHyper,
    Started,
    Step,
    StepsDone,
    Stop,
)
from core.jobs.messages import Assignment, Batch, Carry, Change, batch_row, encode, parse_carry
from core.jobs.pool.control import MAX_CONNECTIONS, Control, ask, socket_path
from core.jobs.pool.loop import Pool
from core.jobs.pool.recovery import newest_whole, rewind_to_checkpoint
from core.jobs.pool.requests import Requests
from core.jobs.pool.running import HURRY_S, LiveRun, RunBook
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord
from core.store.sql import SqlWriter
from tests.core.jobs.conftest import DEMO
from tests.core.jobs.demo_jobs import Count

RUN = "a" * 32


class StubWorker:
    """A worker whose words a test chooses."""

    pid, is_ready = 1, True

    def __init__(self, lane="training"):
        self.lane, self.alive, self.said, self.told = lane, True, [], []
        self.hurries, self.may_change, self.waited = [], True, {1: 0.0}

    def say(self, *events, after=0):
        self.said.append(encode(Batch(RUN, tuple(batch_row(after + n, event) for n, event in enumerate(events, start=1)))))

    def send(self, message):
        self.told.append(message)

    def hurry(self, *, is_on):
        self.hurries.append(is_on)
        return self.may_change

    def waited_s(self):
        return dict(self.waited)

    def receive(self):
        said, self.said = self.said, []
        return said

    def is_alive(self):
        return self.alive

    def kill(self):
        self.alive = False

    def end(self):
        return "its process was ended"

    def waitables(self):
        return ()


class StubEngine:
    """Hands out nobody."""

    def take(self, lane):
        return None

    def give_back(self, worker):
        pass

    def tend(self):
        pass

    def is_warm(self, lane):
        return True

    def waitables(self):
        return ()


def record(state="running", **columns):
    values = {
        "id": RUN, "kind": "count", "owner": "", "name": "", "state": state, "reason": "", "key": "k", "attempt": 1,
        "job": Count().model_dump_json(), "generation": 0, "last_seq": 0, "last_step": 0, "created": 1.0, "started": 1.0,
        "finished": None,
    }  # fmt: skip
    return RunRecord(**(values | columns))


def steps(first, n, elapsed_s):
    return StepsDone(first, 0, ((0.5,) * n,), (0.1,), elapsed_s)


STARTED = Started(0, 1, 1, 1, 0, 1, None, "cpu", ("lane 1",), {})


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A store with one run, and all that works on it."""
    monkeypatch.setenv("LAYERWISE_JOBS", DEMO["LAYERWISE_JOBS"])
    settings, store, files = Settings(home=tmp_path), SqlWriter(tmp_path / "runs.db"), ArtifactFiles(tmp_path)
    store.begin()
    store.create(record())
    store.commit()
    worker = StubWorker()
    run = LiveRun.begin(record(), worker, Assignment(RUN, "", 0, None, Carry()))
    store.begin()
    yield SimpleNamespace(
        settings=settings, store=store, files=files, worker=worker, run=run, book=RunBook(store, files, settings), live={}
    )
    store.commit()
    store.close()


def saved(room, step):
    """The event of a checkpoint whose file is there."""
    stored = room.files.write(RUN, f"checkpoint-{step}", b"weights")
    return ArtifactSaved(f"checkpoint-{step}", "checkpoint", step, stored.n_bytes, stored.sha256)


def events(room):
    return [logged.event for logged in room.store.events(RUN)]


def requests(room):
    return Requests(room.store, room.files, room.settings, StubEngine(), room.live)


def command(name, fields="{}"):
    return {"ask": "command", "run": RUN, "command": name, "fields": fields}


def test_nonsense_in_the_midst_of_a_message_ends_only_its_run_and_leaves_none_of_it(room, tmp_path):
    room.store.commit()
    home = tmp_path / "pool"
    home.mkdir()
    control = Control(home)
    pool = Pool(Settings(home=tmp_path), room.store, StubEngine(), control)
    pool._live[RUN] = room.run
    room.worker.say(STARTED, steps(1, 5, 1.0), StepsDone(6, 0, (), (0.1,), 1.2))  # no series at all
    pool._turn()
    control.close()
    room.store.begin()
    assert [type(event) for event in events(room)] == [Failed]
    assert (room.store.run(RUN).state, room.store.run(RUN).last_seq) == ("failed", 1)
    assert not room.worker.alive


def test_a_killed_run_ends_at_the_step_whose_weights_there_are_and_after_its_time_of_training(room):
    room.worker.say(STARTED, steps(1, 10, 2.0), saved(room, 10), steps(11, 5, 3.5))
    room.book.absorb(room.run)
    room.run.order(Stop())
    room.run.stop_deadline = time.monotonic() - 1
    room.book.absorb(room.run)
    assert not room.worker.alive
    room.book.absorb(room.run)
    noticed, end = events(room)[-2:]
    assert isinstance(noticed, Noticed)
    assert "step 10" in noticed.message
    assert end == Finished("stopped", 10, 3.5)
    assert (room.store.run(RUN).state, room.store.run(RUN).last_step) == ("stopped", 15)


@pytest.mark.parametrize(
    ("lane", "state", "silent_s", "longest_gap_s", "wanted_s"),
    [
        ("training", "running", 0.0, 0.0, 2.0),
        ("training", "running", 0.0, 4.0, 12.0),
        ("training", "running", 5.0, 0.1, 15.0),
        ("training", "running", 60.0, 0.1, 30.0),
        ("training", "paused", 60.0, 0.1, 2.0),
        ("training", "starting", 60.0, 0.0, 2.0),
        ("lens", "running", 60.0, 0.1, 2.0),
    ],
)
def test_a_run_of_long_steps_has_longer_to_hear_that_it_is_to_stop(room, lane, state, silent_s, longest_gap_s, wanted_s):
    run = room.run
    room.worker.lane, run.state, run.longest_gap_s = lane, state, longest_gap_s
    run.heard = time.monotonic() - silent_s
    run.order(Stop())
    assert run.stop_deadline - time.monotonic() == pytest.approx(wanted_s, abs=0.3)


def test_a_worker_goes_first_for_a_moment_after_an_order(room, monkeypatch):
    clock = 100.0
    monkeypatch.setattr("core.jobs.pool.running.time.monotonic", lambda: clock)
    room.run.order(SetHyper(0, "lr", 0.5))
    room.book.absorb(room.run)
    clock += HURRY_S / 2
    room.book.absorb(room.run)
    assert room.worker.hurries == [True]
    clock += HURRY_S
    room.worker.may_change = False  # the kernel takes only so many changes a second
    room.book.absorb(room.run)
    room.worker.may_change = True
    room.book.absorb(room.run)
    room.book.absorb(room.run)
    assert room.worker.hurries == [True, False, False]


@pytest.mark.fault(136)
@pytest.mark.parametrize("share_waited", [0.0, 0.9], ids=["hangs", "gets no processor"])
def test_a_silent_worker_is_stopped_unless_it_waits_for_a_processor(room, monkeypatch, share_waited):
    hang_s, clock = room.settings.hang_s, 100.0
    monkeypatch.setattr("core.jobs.pool.running.time.monotonic", lambda: clock)
    room.worker.say(STARTED)
    room.book.absorb(room.run)
    room.worker.waited = {1: 900.0, 2: 5.0}  # in all their lives before: it, and a process that shares its work
    for _second in range(int(hang_s) + 2):
        clock += 1.0
        room.worker.waited[2] += share_waited
        room.book.absorb(room.run)
    assert room.worker.alive == (share_waited > 0)
    clock += 9 * hang_s  # without a word, and with no processor to wait for
    room.book.absorb(room.run)
    assert not room.worker.alive


def paused_for_long(room, clock):
    """The run rests; the time is another one."""
    room.worker.say(STARTED, Paused(0))
    room.book.absorb(room.run)
    clock[0] += 5 * room.settings.hang_s
    room.book.absorb(room.run)
    assert (room.worker.alive, room.run.is_working) == (True, False)


@pytest.fixture
def clock(monkeypatch):
    """The time, for a test to change."""
    now = [100.0]
    monkeypatch.setattr("core.jobs.pool.running.time.monotonic", lambda: now[0])
    return now


def test_a_step_by_hand_is_work_until_the_run_rests_again(room, clock):
    paused_for_long(room, clock)
    room.run.order(Step(1, "epoch"))
    assert room.run.is_working
    room.worker.say(steps(1, 3, 0.1), after=2)
    room.book.absorb(room.run)
    assert (room.run.state, room.run.is_working) == ("paused", True)
    room.worker.say(steps(4, 3, 0.2), Paused(6), after=3)
    room.book.absorb(room.run)
    assert (room.run.state, room.run.is_working) == ("paused", False)
    clock[0] += 5 * room.settings.hang_s
    room.book.absorb(room.run)
    assert room.worker.alive


@pytest.mark.fault(58)
def test_a_step_by_hand_that_hangs_is_stopped(room, clock):
    paused_for_long(room, clock)
    room.run.order(Step(1))
    room.book.absorb(room.run)
    assert room.worker.alive  # its silence begins with the order
    clock[0] += room.settings.hang_s + 5
    room.book.absorb(room.run)
    room.book.absorb(room.run)
    end = events(room)[-1]
    assert isinstance(end, Failed)
    assert (end.code, end.message) == ("hung", "The worker said nothing for 125 s and was stopped.")


@pytest.mark.fault(136)
def test_a_word_ends_a_silence(room, monkeypatch):
    clock = 100.0
    monkeypatch.setattr("core.jobs.pool.running.time.monotonic", lambda: clock)
    for first in (1, 2, 3):
        room.worker.say(STARTED, after=first - 1)
        room.book.absorb(room.run)
        clock += 0.9 * room.settings.hang_s
        room.book.absorb(room.run)
    assert room.worker.alive


def test_the_longest_gap_is_between_messages_of_a_run_that_works(room):
    run = room.run
    for state, silent_s in (("starting", 50.0), ("running", 3.0), ("running", 1.0), ("paused", 70.0)):
        run.state, run.heard = state, time.monotonic() - silent_s
        run.hear()
    assert run.longest_gap_s == pytest.approx(3.0, abs=0.3)


def test_a_waiting_run_that_had_trained_is_stopped_with_its_time_and_step(room):
    saved_at_4 = saved(room, 4)
    room.store.append(RUN, [LoggedEvent(n, one) for n, one in enumerate([STARTED, steps(1, 4, 1.25), saved_at_4], start=1)])
    room.store.add_artifact(ArtifactRecord(RUN, saved_at_4.name, "checkpoint", 4, 3, saved_at_4.n_bytes, saved_at_4.sha256))
    room.store.update(RUN, state="queued", last_seq=3, last_step=4)
    requests(room).answer(command("Stop"))
    assert events(room)[-1] == Finished("stopped", 4, 1.25)
    assert room.store.run(RUN).state == "stopped"


def test_a_waiting_run_that_never_ran_is_stopped_at_zero(room):
    room.store.update(RUN, state="queued")
    requests(room).answer(command("Stop"))
    assert events(room) == [Finished("stopped", 0, 0.0)]


@pytest.mark.parametrize(
    ("name", "fields", "carry"),
    [
        ("Resume", "{}", Carry((), None)),
        ("Step", '{"n":3}', Carry((), 11)),
        ("SetHyper", '{"lane":0,"name":"lr","value":0.25}', Carry((Change.of(8, SetHyper(0, "lr", 0.25)),), 8)),
        ("Step", '{"n":2,"unit":"epoch"}', Carry((), STARTED.steps_per_epoch * 2 - 8 % STARTED.steps_per_epoch + 8)),
        ("Step", '{"unit":"phase"}', Carry((), 8)),
        ("RemoveLane", '{"lane":0}', Carry((Change.of(8, RemoveLane(0)),), 8)),
    ],
)
def test_a_run_whose_long_pause_took_its_worker_waits_again_with_what_it_was_told(room, name, fields, carry):
    room.worker.say(STARTED, steps(1, 8, 1.0), saved(room, 8), Paused(8))
    room.book.absorb(room.run)
    room.run.touched = time.monotonic() - room.settings.pause_s - 1
    room.book.absorb(room.run)
    assert (room.run.is_over, room.worker.alive, room.store.run(RUN).state) == (True, False, "paused")
    requests(room).answer(command("Pause"))
    assert room.store.run(RUN).state == "paused"
    requests(room).answer(command(name, fields))
    waiting = room.store.run(RUN)
    assert (waiting.state, waiting.last_step, waiting.attempt) == ("queued", 8, 0)
    assert parse_carry(room.store.carry(RUN)) == carry
    assert [type(event) for event in events(room)] == [Started, StepsDone, ArtifactSaved]


def test_a_run_whose_long_pause_took_its_worker_can_be_stopped(room):
    room.worker.say(STARTED, steps(1, 8, 1.0), saved(room, 8), Paused(8))
    room.book.absorb(room.run)
    room.run.touched -= room.settings.pause_s + 1
    room.book.absorb(room.run)
    requests(room).answer(command("Stop"))
    assert events(room)[-1] == Finished("stopped", 8, 1.0)


@pytest.mark.parametrize("order", [Resume(), Pause(), Step(2), SetHyper(0, "lr", 0.1)])
def test_a_pause_that_somebody_has_just_ended_keeps_its_worker(room, order):
    room.worker.say(STARTED, Paused(0))
    room.book.absorb(room.run)
    room.run.touched -= room.settings.pause_s + 1
    room.run.order(order)
    room.book.absorb(room.run)
    assert (room.run.is_over, room.worker.alive) == (False, True)


@pytest.mark.fault(128)
def test_silent_connections_neither_spin_the_loop_nor_keep_anybody_out_for_long(tmp_path, monkeypatch):
    import socket

    from core.jobs.pool import control as module

    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    control = Control(tmp_path)
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(MAX_CONNECTIONS)]
    for one in silent:
        one.connect(str(socket_path(tmp_path)))
    assert control.requests() == []
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(tmp_path, {"ask": "status"}, timeout_s=5.0)))
    asking.start()
    time.sleep(0.05)
    assert control._listener.fileno() not in control.waitables()
    deadline = time.monotonic() + 4
    while asking.is_alive() and time.monotonic() < deadline:
        for request in control.requests():
            control.answer(request, {"here": True})
        time.sleep(0.02)
    asking.join()
    assert answers == [{"here": True}]
    for one in silent:
        one.close()
    control.close()


def test_a_lost_run_goes_on_from_no_checkpoint_that_was_put_away_after_later_steps_were_told(room):
    early, best = saved(room, 4), saved(room, 6)
    room.worker.say(STARTED, steps(1, 4, 1.0), early, steps(5, 5, 2.0), best)
    room.book.absorb(room.run)
    assert newest_whole(room.store, room.files, RUN).step == 4
    rewind_to_checkpoint(room.store, room.files, room.store.run(RUN), None, was_paused=False)
    assert [event for event in events(room) if isinstance(event, StepsDone)] == [steps(1, 4, 1.0)]
    assert room.store.run(RUN).last_step == 4


def test_a_job_that_misses_a_file_is_refused_in_words_and_leaves_the_supervisor_alone(room, monkeypatch):
    def missing(job, settings):
        raise MissingData("The bundle is gone.", hint="Upload it again.")

    monkeypatch.setattr(Count, "check", missing)
    with pytest.raises(SpecError, match="The bundle is gone") as refused:  # a StoreError would end the supervisor
        requests(room).answer({"ask": "submit", "run": "c" * 32, "job": Count().model_dump_json(), "owner": "", "name": ""})
    assert refused.value.hint == "Upload it again."
    assert room.store.run("c" * 32) is None
