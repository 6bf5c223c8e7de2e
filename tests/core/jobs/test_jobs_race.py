"""Races in a real pool: every change is answered in the store and outlives its worker; what cannot be is refused in words."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core.errors import SpecError
from core.events import (
    AddLane,
    EpochDone,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneRemoved,
    OptimizerSwapped,
    Paused,
    PhaseDone,
    RemoveLane,
    Resume,
    SetHyper,
    SetSpeed,
    Started,
    Step,
    Stop,
    SwapOptimizer,
)
from core.experiment.changes import changes_of
from core.experiment.experiment import MAX_LANES, Budget, Experiment, Lane
from core.jobs.training import TrainJob
from core.optim.optimizers import SGD, Adam, RMSprop
from core.optim.regularizers import ClipNorm, WeightAverage
from tests.core.jobs.real_pool import CHECKPOINT_S, RealPool, uninterrupted
from tests.core.samples import spiral

pytestmark = pytest.mark.slow

FIRST = Lane(optimizer=SGD(lr=0.05, momentum=0.9), regularizers=(ClipNorm(limit=1.0),))
SECOND = Lane(optimizer=Adam(lr=0.01), regularizers=(WeightAverage(decay=0.9),))
LATE = Lane(optimizer=RMSprop(lr=0.003)).model_dump_json()
COPY = Lane(optimizer=Adam(lr=0.002), name="slower").model_dump_json()
SWAP = Adam(lr=0.02).model_dump_json()
PACE = SetSpeed(60.0)
"""Slow enough for commands to find the run on its way."""


def race(steps: int = 900, **changes) -> Experiment:
    return spiral().but(lanes=(FIRST, SECOND), repeats=2, **{"budget": Budget(epochs=None, steps=steps)} | changes)


@pytest.fixture(scope="module")
def like_a_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Arithmetic in this process as in a worker, a data folder of its own, and no libraries that no race needs."""
    before, threads = dict(os.environ), torch.get_num_threads()
    os.environ |= {"LAYERWISE_HOME": str(tmp_path_factory.mktemp("inline")), "LAYERWISE_LENS_PRELOAD": ""}
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, like_a_worker: None) -> Iterator["RacePool"]:
    pool = RacePool(tmp_path_factory.mktemp("race") / "home", checkpoint_s=CHECKPOINT_S)
    yield pool
    pool.close()


@pytest.fixture
def impatient_pool(tmp_path, like_a_worker: None) -> Iterator["RacePool"]:
    """A pool that takes the worker of a paused run away at once."""
    pool = RacePool(tmp_path / "home", pause_s=0.1)
    yield pool
    pool.close()


class RacePool(RealPool):
    """Says one thing after another, and waits for the event that answers it."""

    def has_worker(self, run: str) -> bool:
        with sqlite3.connect(self.home / "runs.db") as connection:
            (pid,) = connection.execute("SELECT pid FROM runs WHERE id=?", (run,)).fetchone()
        connection.close()
        return pid is not None

    def told(self, run: str, kind: type) -> list:
        return [logged.event for logged in self.store.events(run, name=kind.__name__)]

    def order(self, run: str, command: object, answer: type) -> None:
        n_before = len(self.told(run, answer))
        self.client.command(run, command)
        self.wait(lambda: len(self.told(run, answer)) > n_before)

    def begun(self, experiment: Experiment) -> str:
        """A run that waits before its first step."""
        run = self.client.submit(TrainJob(experiment=experiment, starts_paused=True))
        self.wait_for(run, "paused")
        return run

    def on_its_way(self, experiment: Experiment) -> str:
        """A run that has left its start, so slowly that commands find it running."""
        run = self.begun(experiment)
        self.order(run, PACE, Paused)
        self.client.command(run, Resume())
        self.wait_for_step(run, 20)
        return run

    def lose(self, run: str) -> None:
        """SIGKILL for the worker, and wait until the supervisor has seen it."""
        lost = self.names(run).count("WorkerLost")
        os.kill(self.pid(run), signal.SIGKILL)
        self.wait(lambda: self.names(run).count("WorkerLost") > lost)

    def seq_of_last(self, run: str, *kinds: type) -> int:
        names = [kind.__name__ for kind in kinds]
        return max(logged.seq for name in names for logged in self.store.events(run, name=name))

    def freeze_before_checkpoint(self, run: str, change: tuple[object, type]) -> None:
        """Make a change and freeze the worker before its next checkpoint; tried again where one came in between."""
        for _ in range(5):
            n_known = len(self.checkpoints(run))
            self.wait(lambda n_known=n_known: len(self.checkpoints(run)) > n_known)
            self.order(run, *change)
            os.kill(self.pid(run), signal.SIGSTOP)
            time.sleep(0.3)  # what it has said is in the store by then
            if self.checkpoints(run)[-1].seq < self.seq_of_last(run, change[1]):
                return
            os.kill(self.pid(run), signal.SIGCONT)
        raise AssertionError("a checkpoint followed every change")

    def assert_repeatable(self, run: str, experiment: Experiment) -> None:
        """Each step is in the store once, and the whole is what the experiment with these changes gives without a break."""
        events = self.events(run)
        losses, epochs = self.curves(run)
        theirs, their_epochs = uninterrupted(experiment.but(changes=changes_of(events)))
        assert len(losses) == len(theirs)  # no lane is there twice
        np.testing.assert_array_equal(np.array(losses), np.array(theirs))
        assert [row[:2] for row in epochs] == [row[:2] for row in their_epochs]
        ours, others = (np.array([row[2:] for row in rows]) for rows in (epochs, their_epochs))
        np.testing.assert_array_equal(ours, others)


CHANGES = [
    (AddLane(LATE), LaneAdded),
    (AddLane(COPY, source=1), LaneAdded),
    (SwapOptimizer(0, SWAP), OptimizerSwapped),
    (SetHyper(2, "lr", 0.001), HyperChanged),
    (SetHyper(0, "clip_norm.limit", 0.25), HyperChanged),
    (RemoveLane(1), LaneRemoved),
]
"""Each with the event that answers it. Two lanes of two seeds become four, of which one rests."""


def test_every_change_of_a_running_race_is_answered_and_the_whole_can_be_repeated(pool):
    experiment = race()
    run = pool.on_its_way(experiment)
    for change in CHANGES:
        pool.order(run, *change)
    pool.client.command(run, SetSpeed(0.0))
    assert pool.wait_for(run, "finished").reason == "completed"
    made = [event for event in pool.events(run) if isinstance(event, (HyperChanged, LaneAdded, LaneRemoved, OptimizerSwapped))]
    assert [type(event) for event in made] == [answer for _, answer in CHANGES]
    assert all(event.step >= 20 for event in made)
    late, copy = (event for event in made if isinstance(event, LaneAdded))
    assert (late.lane, late.source, len(late.series)) == (2, -1, 2)
    assert (copy.lane, copy.source, copy.name) == (3, 1, "slower")
    assert made[4] == HyperChanged(made[4].step, 0, "clip_norm.limit", 1.0, 0.25)
    assert made[-1].step < 900
    pool.assert_repeatable(run, experiment)
    losses = pool.curves(run)[0]
    assert np.isnan(losses[2][made[5].step :]).all()
    assert all(np.isfinite(losses[k]).all() for k in (0, 1, 4, 5, 6, 7))


def test_a_race_goes_phase_by_phase_and_epoch_by_epoch(pool):
    run = pool.begun(race())
    for phase in ("forward", "loss", "backward", "update"):
        pool.order(run, Step(1, "phase"), Paused)
        assert pool.told(run, PhaseDone)[-1].phase == phase
    assert pool.store.run(run).last_step == 1
    pool.order(run, Step(1, "epoch"), Paused)
    whole = pool.told(run, Started)[0].steps_per_epoch
    assert [event.step for event in pool.told(run, EpochDone)] == [whole]
    assert pool.told(run, Paused)[-1].step == whole
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    pool.assert_repeatable(run, race())


@pytest.mark.parametrize("is_kept", [True, False], ids=["after the next checkpoint", "before the next checkpoint"])
def test_a_race_whose_worker_is_killed_after_changes_has_the_curve_of_an_uninterrupted_one(pool, is_kept):
    experiment = race()
    run = pool.on_its_way(experiment)
    for change in CHANGES[:-1]:
        pool.order(run, *change)
    if is_kept:
        pool.order(run, *CHANGES[-1])
        pool.wait(lambda: pool.checkpoints(run)[-1].seq > pool.seq_of_last(run, LaneRemoved, HyperChanged))
    else:
        pool.freeze_before_checkpoint(run, (AddLane(LATE), LaneAdded))
    made = changes_of(pool.events(run))
    pool.lose(run)
    record = pool.wait_for(run, "finished")
    assert record.attempt == 2
    assert pool.told(run, Started)[-1].step > 0
    assert changes_of(pool.events(run)) == made
    pool.assert_repeatable(run, experiment)


def test_changes_while_a_race_is_paused_hold_from_the_next_step_and_it_stays_paused(pool):
    experiment = race(steps=300)
    run = pool.begun(experiment)
    pool.order(run, Step(40), Paused)
    for command, answer in CHANGES:
        n_pauses = len(pool.told(run, Paused))
        pool.order(run, command, answer)
        if not isinstance(command, SetHyper):
            pool.wait(lambda n=n_pauses: len(pool.told(run, Paused)) > n)
        assert (pool.state(run), pool.store.run(run).last_step) == ("paused", 40)
    made = changes_of(pool.events(run))
    assert {change.after_step for change in made} == {40}
    pool.lose(run)
    pool.wait_for(run, "paused")
    assert pool.store.run(run).last_step == 40
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    assert changes_of(pool.events(run)) == made
    pool.assert_repeatable(run, experiment)


def test_changes_of_a_race_whose_pause_gave_its_worker_back_hold_once_it_goes_on(impatient_pool):
    pool, experiment = impatient_pool, race(steps=200)

    def released() -> None:
        pool.wait(lambda: pool.state(run) == "paused" and not pool.has_worker(run))

    run = pool.begun(experiment)
    released()
    with pytest.raises(SpecError, match="no worker at present"):
        pool.client.command(run, PACE)
    pool.client.command(run, Step(30))
    pool.wait(lambda: pool.told(run, Paused) and pool.told(run, Paused)[-1].step == 30)
    for change in (CHANGES[0], CHANGES[2], CHANGES[3], CHANGES[5]):
        released()
        pool.order(run, *change)
    released()
    made = changes_of(pool.events(run))
    assert [change.kind for change in made] == ["add", "swap", "hyper", "remove"]
    assert {change.after_step for change in made} == {30}
    pool.client.command(run, Resume())
    assert pool.wait_for(run, "finished").last_step == 200
    assert changes_of(pool.events(run)) == made
    pool.assert_repeatable(run, experiment)


@pytest.fixture(scope="module")
def waiting(pool) -> Iterator[str]:
    """A race of as many lanes as there may be, that waits."""
    run = pool.begun(race().but(lanes=(FIRST, SECOND) + (SECOND,) * (MAX_LANES - 2), repeats=1))
    yield run
    pool.client.command(run, Stop())


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (SetHyper(MAX_LANES, "lr", 0.1), "no lane 32"),
        (SetHyper(-1, "lr", 0.1), "no lane -1"),
        (SetHyper(0, "lr", float("nan")), "lr"),
        (SetHyper(0, "clip_norm.limit", -1.0), "limit"),
        (SetHyper(0, "beta1", 0.5), "no number 'beta1'"),
        (SwapOptimizer(99, SWAP), "no lane 99"),
        (SwapOptimizer(0, "{"), "JSON"),
        (SwapOptimizer(0, '{"kind": "warmth"}'), "warmth"),
        (RemoveLane(32), "no lane 32"),
        (AddLane(LATE), "at most 32 lanes"),
        (AddLane(LATE, source=40), "no lane 40"),
        (AddLane(LATE, source=-2), "no lane -2"),
        (SetSpeed(float("nan")), "speed"),
        (SetSpeed(float("inf")), "speed"),
        (SetSpeed(-1.0), "speed"),
        (Step(0), "must be 1 to"),
        (Step(1_000_000), "must be 1 to"),
    ],
)
def test_what_cannot_be_is_refused_at_once_in_words_and_leaves_the_run_as_it_was(pool, waiting, command, words):
    n_events = len(pool.events(waiting))
    with pytest.raises(SpecError, match=words) as refused:
        pool.client.command(waiting, command)
    assert refused.value.message
    assert refused.value.hint
    assert pool.state(waiting) == "paused"
    assert len(pool.events(waiting)) == n_events


@pytest.mark.parametrize("text", ["{}", "[]", "null", "not json", '{"optimizer": {"kind": "warmth"}}', '{"optimizer": 3}'])
def test_a_text_that_is_no_lane_is_refused_where_there_is_room_for_one(pool, text):
    run = pool.begun(race())
    with pytest.raises(SpecError) as refused:
        pool.client.command(run, AddLane(text))
    assert refused.value.message
    assert not pool.told(run, LaneAdded)
    pool.client.command(run, Stop())


def test_a_lane_can_be_named_once_it_has_joined_and_not_before(pool):
    run = pool.begun(race())
    with pytest.raises(SpecError, match="no lane 2"):
        pool.client.command(run, SetHyper(2, "lr", 0.02))
    pool.order(run, AddLane(LATE), LaneAdded)
    pool.order(run, SetHyper(2, "lr", 0.02), HyperChanged)
    assert pool.told(run, HyperChanged) == [HyperChanged(0, 2, "lr", 0.003, 0.02)]
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    pool.assert_repeatable(run, race())


def test_a_race_that_starts_paused_waits_at_its_start_also_after_its_worker_was_lost(pool):
    run = pool.begun(race(steps=100))
    pool.lose(run)
    pool.wait_for(run, "paused")
    assert pool.told(run, Started)[-1].step == 0
    assert pool.store.run(run).last_step == 0
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    pool.assert_repeatable(run, race(steps=100))


def test_a_race_out_of_patience_ends_where_it_ends_without_a_pool(pool):
    lazy = Lane(optimizer=SGD(lr=3.0))
    experiment = race(budget=Budget(epochs=300, patience=2)).but(lanes=(lazy, Lane(optimizer=Adam(lr=0.5))))
    run = pool.end(TrainJob(experiment=experiment))
    end = pool.events(run.id)[-1]
    assert isinstance(end, Finished)
    assert (run.state, run.reason, end.reason) == ("finished", "patience", "patience")
    assert end.step < 300 * pool.told(run.id, Started)[0].steps_per_epoch
    pool.assert_repeatable(run.id, experiment)
