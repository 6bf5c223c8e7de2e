"""What page scripts know of a run: its history, taken in step by step, and its lanes as they are now."""

from dataclasses import replace

import pytest

from core.events import EpochDone, HyperChanged, LaneAdded, LaneRemoved, OptimizerSwapped, Started, StepsDone
from core.experiment.examples import default_experiment
from core.experiment.lane import Lane
from core.jobs.training import TrainJob
from core.optim.optimizers import SGD, Adam
from core.settings import Settings
from dashboard.session import resources, run_history, run_now
from tests.dashboard.inline_client import InlineClient

RACE = default_experiment("race").but(repeats=1)
RUN = "h" * 32


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    fake.store.records[RUN] = fake.record(TrainJob(experiment=RACE), RUN)
    fake.store.logs[RUN], fake.store.saved[RUN] = [], []
    return fake


def began(lanes=RACE.lanes):
    names = tuple(lane.label for lane in lanes)
    return Started(0, 10, 8, 4, 0, 2, 10, "cpu", names, {}, names, 1)


def steps(first, losses):
    return StepsDone(first, 1, tuple((loss,) for loss in losses), (0.1,) * len(losses), 0.1 * first)


def epoch(number, losses):
    six = tuple(losses)
    return EpochDone(number, 2 * number, six, six, six, six, 1.0)


def test_a_look_takes_in_only_what_is_new(client, monkeypatch):
    put = client.put
    put(RUN, began())
    put(RUN, steps(1, [0.7] * 6))
    put(RUN, epoch(1, [0.5] * 6))
    record = client.store.run(RUN)
    assert run_history.asked(record, lambda history: (history.step, len(history.epochs))) == (1, 1)
    looked = []
    events = client.store.events

    def spied(run, after=0, limit=10_000, *, name=None):
        looked.append(after)
        return events(run, after, limit, name=name)

    monkeypatch.setattr(client.store, "events", spied)
    run_history.asked(record, lambda history: history.step)
    assert looked == []
    put(RUN, steps(2, [0.6] * 6))
    assert run_history.asked(client.store.run(RUN), lambda history: history.step) == 2
    assert set(looked) == {3}


def test_events_behind_the_record_wait_for_the_next_look(client):
    client.put(RUN, began())
    early = client.store.run(RUN)
    client.put(RUN, steps(1, [0.7] * 6))
    assert run_history.asked(early, lambda history: history.step) == 0
    assert run_history.asked(client.store.run(RUN), lambda history: list(history.losses[0])) == [0.7]


def test_a_log_that_was_rewound_is_read_from_its_start(client):
    client.put(RUN, began())
    client.put(RUN, steps(1, [0.7] * 6))
    assert run_history.asked(client.store.run(RUN), lambda history: history.step) == 1
    client.store.logs[RUN].clear()
    client.put(RUN, began(), generation=2)
    assert run_history.asked(client.store.run(RUN), lambda history: history.step) == 0


def test_lanes_are_shown_as_they_are_after_all_changes(client):
    joined = Lane(optimizer=SGD(lr=0.5))
    client.put(RUN, HyperChanged(3, 3, "beta1", 0.9, 0.5))
    client.put(RUN, OptimizerSwapped(4, 0, RACE.lanes[0].optimizer.model_dump_json(), Adam(lr=0.2).model_dump_json()))
    client.put(RUN, LaneAdded(5, 6, -1, joined.model_dump_json(), joined.label, (joined.label,)))
    client.put(RUN, LaneRemoved(6, 1), last_step=6)
    record = client.store.run(RUN)
    lanes = run_now.experiment_now(record).lanes
    assert (lanes[3].optimizer.beta1, lanes[0].optimizer, lanes[6]) == (0.5, Adam(lr=0.2), joined)
    assert run_now.removed_lanes(record) == {1}
    repeated = run_now.repeatable(record)
    assert [change.kind for change in repeated.changes] == ["hyper", "swap", "add", "remove"]
    assert repeated.but(changes=()) == RACE


def test_a_log_that_names_a_lane_which_is_not_there_shows_the_lanes_as_asked(client):
    client.put(RUN, HyperChanged(3, 9, "lr", 0.1, 0.5))
    assert run_now.experiment_now(client.store.run(RUN)) == RACE


def test_many_events_are_read_page_by_page(client, monkeypatch):
    monkeypatch.setattr(run_now, "PAGE", 2)
    for step in range(5):
        client.put(RUN, HyperChanged(step, 0, "lr", 0.1, 0.1 + step))
    events = run_now.events(replace(client.store.run(RUN)), "HyperChanged")
    assert [event.step for event in events] == list(range(5))
