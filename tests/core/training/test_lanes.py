"""Lanes of a run: they share their start and their batches, and one that joins late has the curve of one that was there."""

import json
import math

import numpy as np
import pytest
import torch

from core.events import (
    AddLane,
    Artifact,
    EpochDone,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    Noticed,
    OptimizerSwapped,
    Pause,
    Paused,
    Planned,
    RemoveLane,
    SetHyper,
    Started,
    Step,
    StepsDone,
    Stop,
    SwapOptimizer,
)
from core.experiment.changes import changes_of
from core.experiment.experiment import Budget, Lane
from core.history import History
from core.optim.optimizers import LBFGS, SGD, Adam, AnyOptimizer, RMSprop
from core.optim.regularizers import WeightAverage
from core.optim.schedules import Plateau
from core.settings import Settings
from core.spec import choices
from core.training.checkpoints import load_state
from core.training.live_run import LiveRun
from core.training.loop import train
from tests.core.samples import spiral

QUIET = Settings(checkpoint_s=1000)
SGD_LANE, ADAM_LANE, RMS_LANE = (Lane(optimizer=one) for one in (SGD(lr=0.05), Adam(lr=0.01), RMSprop(lr=0.003)))


def race(*lanes, repeats=1, steps=120, **changes):
    budget = Budget(epochs=None, steps=steps)
    return spiral().but(lanes=lanes, repeats=repeats, **({"budget": budget} | changes))


def played(experiment, script=(), **options):
    """All items of a run in which each command of `script`, (step, command), comes once that step is done."""
    stream, script, items = train(experiment, settings=QUIET, **options), list(script), []
    command, step, is_paused = None, 0, False
    while True:
        try:
            item = stream.send(command)
        except StopIteration:
            return items
        command = None
        items.append(item)
        if isinstance(item, StepsDone):
            step = item.first_step + len(item.losses[0]) - 1
        is_paused = isinstance(item, Paused)
        if isinstance(item, Started) and script:
            command = Step(script[0][0]) if script[0][0] else script.pop(0)[1]
        elif is_paused and script:
            command = said_while_paused(stream, script, step, items)


def said_while_paused(stream, script, step, items):
    """The next command to send after `step`; changes of a number are answered at once."""
    while script and script[0][0] == step and isinstance(script[0][1], SetHyper):
        items.append(stream.send(script.pop(0)[1]))
    if not script:
        return None
    return script.pop(0)[1] if script[0][0] == step else Step(script[0][0] - step)


def folded(items):
    history = History()
    for item in items:
        if item is not None and not isinstance(item, Artifact):
            history.append(item)
    return history


def curves(items):
    return [np.array(losses) for losses in folded(items).losses]


def alone(lane, **options):
    return curves(played(race(lane, **options)))


def assert_equal(left, right):
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-6)


def test_lanes_start_from_identical_weights_and_see_identical_batches():
    run = LiveRun(race(SGD_LANE, ADAM_LANE, RMS_LANE, repeats=2), spiral().data.splits(0), None, QUIET)
    by_repeat = {r: [one for one in run.series if one.repeat == r] for r in (0, 1)}
    for series in by_repeat.values():
        first = series[0].model.state_dict()
        for other in series[1:]:
            assert all(torch.equal(first[name], tensor) for name, tensor in other.model.state_dict().items())
    weights = [series[0].model.state_dict()["0.weight"] for series in by_repeat.values()]
    assert not torch.equal(*weights)
    assert torch.equal(run.source.batch(0, 7)[0], run.source.batch(0, 7)[0])
    assert not torch.equal(run.source.indices(0, 7), run.source.indices(1, 7))
    run.close()


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_lane_of_a_race_has_the_curve_that_it_has_alone(repeats):
    together = curves(played(race(SGD_LANE, ADAM_LANE, RMS_LANE, repeats=repeats)))
    for index, lane in enumerate((SGD_LANE, ADAM_LANE, RMS_LANE)):
        for repeat, lonely in enumerate(alone(lane, repeats=repeats)):
            assert_equal(together[index * repeats + repeat], lonely)


def test_a_lane_that_joins_late_catches_up_and_has_the_curve_of_one_that_was_there_from_the_start():
    items = played(race(SGD_LANE), [(75, AddLane(ADAM_LANE.model_dump_json())), (75, Step(45))])
    added = next(item for item in items if isinstance(item, LaneAdded))
    assert (added.step, added.lane, added.source, added.name) == (75, 1, -1, ADAM_LANE.label)
    together = curves(items)
    assert [len(curve) for curve in together] == [120, 120]
    assert_equal(together[1], alone(ADAM_LANE)[0])
    assert_equal(together[0], alone(SGD_LANE)[0])
    told = [item.epoch for item in items if isinstance(item, LaneEpochDone)]
    there = {item.epoch: item for item in played(race(ADAM_LANE)) if isinstance(item, EpochDone)}
    assert told == [epoch for epoch in there if there[epoch].step <= 75]
    late = next(item for item in items if isinstance(item, LaneEpochDone))
    assert_equal(late.validation_loss, there[late.epoch].validation_loss)


def test_a_fork_goes_on_as_a_copy_with_the_optimizers_memory_and_its_past_is_the_sources():
    fork = AddLane(Lane(optimizer=Adam(lr=0.01), name="copy").model_dump_json(), source=0)
    together = curves(played(race(ADAM_LANE), [(60, fork), (60, Step(60))]))
    assert_equal(together[1], together[0])
    slower = AddLane(Lane(optimizer=Adam(lr=0.001)).model_dump_json(), source=0)
    together = curves(played(race(ADAM_LANE), [(60, slower), (60, Step(60))]))
    assert_equal(together[1][:61], together[0][:61])  # the loss of step 61 comes before its update
    assert abs(together[1][-1] - together[0][-1]) > 1e-4


def test_a_removed_lane_leaves_the_others_as_they_were_and_gives_no_numbers_any_more():
    items = played(race(SGD_LANE, ADAM_LANE), [(50, RemoveLane(0)), (50, Step(70))])
    assert next(item for item in items if isinstance(item, LaneRemoved)) == LaneRemoved(50, 0)
    removed, kept = curves(items)
    assert_equal(kept, alone(ADAM_LANE)[0])
    assert np.isnan(removed[50:]).all()
    assert np.isfinite(removed[:50]).all()
    last = [item for item in items if isinstance(item, EpochDone)][-1]
    assert math.isnan(last.validation_loss[0])
    assert math.isfinite(last.validation_loss[1])


def test_a_swapped_optimizer_goes_on_from_the_weights_with_an_empty_state():
    items = played(race(SGD_LANE), [(40, SwapOptimizer(0, Adam(lr=0.01).model_dump_json())), (40, Step(80))])
    swapped = next(item for item in items if isinstance(item, OptimizerSwapped))
    assert json.loads(swapped.new)["kind"] == "adam"
    assert json.loads(swapped.old)["kind"] == "sgd"
    curve = curves(items)[0]
    assert_equal(curve[:41], alone(SGD_LANE)[0][:41])
    # by hand: Adam over the weights that SGD has left
    run = LiveRun(race(SGD_LANE), spiral().data.splits(0), None, QUIET)
    run.advance(40)
    model, run_loss = run.series[0].model, run.loss
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    for number in range(41, 121):
        x, y = run.source.batch(0, number)
        loss = run_loss(model(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        assert abs(loss.item() - curve[number - 1]) < 1e-5
    run.close()


@pytest.mark.parametrize(
    "command",
    [
        AddLane("{}"),
        AddLane(ADAM_LANE.model_dump_json(), source=3),
        RemoveLane(5),
        RemoveLane(0),
        SwapOptimizer(0, '{"kind":"warmth"}'),
        SwapOptimizer(9, Adam().model_dump_json()),
        SetHyper(4, "lr", 0.1),
    ],
)
def test_a_change_that_cannot_be_is_told_and_changes_nothing(command):
    items = played(race(SGD_LANE), [(30, command), (30, Step(90))])
    notice = next(item for item in items if isinstance(item, Noticed))
    assert notice.code == "change-refused"
    assert notice.hint
    assert_equal(curves(items)[0], alone(SGD_LANE)[0])
    assert isinstance(items[-1], Finished)


SCRIPT = [
    (20, SetHyper(0, "lr", 0.02)),
    (35, AddLane(RMS_LANE.model_dump_json())),
    (50, SwapOptimizer(0, Adam(lr=0.02).model_dump_json())),
    (64, AddLane(Lane(optimizer=Adam(lr=0.001)).model_dump_json(), source=1)),
    (90, RemoveLane(1)),
    (90, Step(30)),
]


def by_name(items, *kinds):
    return [item for item in items if isinstance(item, kinds)]


def test_a_run_is_repeated_with_the_changes_that_were_made_by_hand():
    experiment = race(SGD_LANE, ADAM_LANE)
    by_hand = played(experiment, SCRIPT)
    changes = changes_of(item for item in by_hand if item is not None and not isinstance(item, Artifact))
    assert [change.kind for change in changes] == ["hyper", "add", "swap", "add", "remove"]
    again = played(experiment.but(changes=changes))
    kinds = (HyperChanged, OptimizerSwapped, LaneAdded, LaneRemoved)
    assert by_name(again, *kinds) == by_name(by_hand, *kinds)
    for left, right in zip(curves(again), curves(by_hand), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("at", [10, 35, 55, 64, 80, 100])
def test_a_race_that_is_resumed_in_the_middle_of_its_changes_goes_on_bit_for_bit(at):
    changes = changes_of(item for item in played(race(SGD_LANE, ADAM_LANE), SCRIPT) if not isinstance(item, Artifact | None))
    experiment = race(SGD_LANE, ADAM_LANE, changes=changes)
    whole = curves(played(experiment))
    half = played(experiment, [(at, Pause())])
    checkpoint = [item for item in half if isinstance(item, Artifact) and item.step == at][-1]
    rest = by_name(played(experiment, resume=checkpoint.data), StepsDone)
    rows = [row for event in rest for row in zip(*event.losses, strict=True)][
        -20:
    ]  # after the last change: all lanes are there
    for losses, curve in zip(zip(*rows, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.array(losses), curve[-20:])


def test_each_run_says_who_trains_which_series_and_why():
    items = played(race(SGD_LANE, ADAM_LANE))
    planned = next(item for item in items if isinstance(item, Planned))
    assert len(planned.executors) == 2
    assert all(planned.executors)
    assert planned.reason.endswith(".")


def test_catching_up_is_told_in_steps_without_a_gap():
    items = played(race(SGD_LANE), [(100, AddLane(ADAM_LANE.model_dump_json())), (100, Step(20))])
    told = by_name(items, LaneStepsDone)
    assert [event.first_step for event in told] == list(np.cumsum([1, *(len(event.losses[0]) for event in told[:-1])]))
    assert sum(len(event.losses[0]) for event in told) == 100


def test_lanes_with_and_without_averaged_weights_are_looked_at_together():
    average = WeightAverage(decay=0.9)
    lanes = (SGD_LANE, ADAM_LANE.but(regularizers=(average,)))
    together = folded(played(race(*lanes, repeats=2)))
    for lane, first in ((lanes[0], 0), (lanes[1], 2)):
        for ours, theirs in zip(together.epochs, folded(played(race(lane, repeats=2))).epochs, strict=True):
            assert_equal(ours.validation_loss[first : first + 2], theirs.validation_loss)


def test_each_epoch_of_a_lane_of_many_seeds_that_catches_up_is_measured_with_the_weights_of_that_epoch():
    there = by_name(played(race(ADAM_LANE, repeats=4)), EpochDone)
    late = by_name(
        played(race(SGD_LANE, repeats=4), [(75, AddLane(ADAM_LANE.model_dump_json())), (75, Step(45))]), LaneEpochDone
    )
    assert len(late) > 2
    for ours, theirs in zip(late, there, strict=False):
        assert_equal(ours.validation_loss, theirs.validation_loss)
        assert_equal(ours.train_loss, theirs.train_loss)


def test_a_prescribed_swap_is_made_though_the_new_optimizer_has_not_the_numbers_that_were_changed_before():
    changes = changes_of([HyperChanged(20, 1, "beta1", 0.9, 0.8), OptimizerSwapped(40, 1, "", SGD(lr=0.05).model_dump_json())])
    items = played(race(SGD_LANE, ADAM_LANE, changes=changes))
    assert not by_name(items, Noticed)
    assert [item.step for item in by_name(items, OptimizerSwapped)] == [40]


def test_commands_that_come_at_the_same_moment_are_done_in_the_order_in_which_they_came():
    stream, items = train(race(SGD_LANE, steps=5000), settings=QUIET), []
    while not (items and isinstance(items[-1], StepsDone)):
        items.append(next(stream))
    items += [stream.send(AddLane(lane.but(name=name).model_dump_json())) for lane, name in ((ADAM_LANE, "b"), (RMS_LANE, "c"))]
    items += stream
    assert [item.name for item in by_name(items, LaneAdded)] == ["b", "c"]


def test_a_number_that_is_changed_while_a_lane_catches_up_holds_for_every_lane_it_names():
    stream, items = train(race(SGD_LANE), settings=QUIET, starts_paused=True), []
    while not (items and isinstance(items[-1], Paused)):
        items.append(next(stream))
    items.append(stream.send(Step(60)))
    while not isinstance(items[-1], Paused):
        items.append(next(stream))
    items.append(stream.send(AddLane(ADAM_LANE.model_dump_json())))
    while not isinstance(items[-1], LaneAdded):
        items.append(next(stream))
    items += [stream.send(SetHyper(1, "lr", 0.0001)), *stream]
    assert by_name(items, HyperChanged) == [HyperChanged(60, 1, "lr", 0.01, 0.0001)]
    again = played(race(SGD_LANE, changes=changes_of(item for item in items if not isinstance(item, Artifact | None))))
    for left, right in zip(curves(again), curves(items), strict=True):
        np.testing.assert_array_equal(left, right)
    assert by_name(items, StepsDone)[-1].learning_rates == (0.05, 0.0001)


def test_stop_is_heard_while_a_lane_catches_up():
    stream, items = train(race(SGD_LANE, steps=3000), settings=QUIET, starts_paused=True), []
    while not (items and isinstance(items[-1], Paused)):
        items.append(next(stream))
    items.append(stream.send(Step(2000)))
    while not isinstance(items[-1], Paused):
        items.append(next(stream))
    items.append(stream.send(AddLane(Lane(optimizer=LBFGS()).model_dump_json())))
    while not isinstance(items[-1], LaneStepsDone):
        items.append(next(stream))
    items += [stream.send(Stop()), *stream]
    assert sum(len(item.losses[0]) for item in by_name(items, LaneStepsDone)) < 2000
    assert (items[-1].reason, items[-1].step) == ("stopped", 2000)
    last = by_name(items, Artifact)[-1]
    assert last.step == 2000
    assert len(load_state(last.data).models) == len(json.loads(load_state(last.data).lanes))


@pytest.mark.parametrize("cls", choices(AnyOptimizer), ids=lambda cls: cls.kind_name())
def test_a_fork_with_other_numbers_goes_on_with_every_optimizer(cls):
    for numbers in variants(cls):
        fork = AddLane(Lane(optimizer=cls(**numbers), name="copy").model_dump_json(), source=0)
        items = played(race(Lane(optimizer=cls()), steps=30), [(15, fork), (15, Step(15))])
        assert isinstance(items[-1], Finished), (numbers, items[-1])


def variants(cls):
    """Each switch or number of an optimizer, moved to another value than its default."""
    plain = cls()
    for name, info in cls.knobs().items():
        value = getattr(plain, name)
        if isinstance(value, bool):
            yield {name: not value}
        elif info.annotation is float and name != "lr":
            near = (number for number in (value * 0.9, value * 1.1, 0.1) if number != value)
            yield next({name: number} for number in near if fits(cls, name, number))


def fits(cls, name, number):
    try:
        return cls(**{name: number})
    except ValueError:
        return None


def test_a_fork_without_a_plateau_has_the_learning_rate_that_it_says():
    source = Lane(optimizer=SGD(lr=1.5), schedule=Plateau(patience=0, gamma=0.1))
    fork = AddLane(Lane(optimizer=SGD(lr=0.25)).model_dump_json(), source=0)
    items = played(race(source), [(100, fork), (100, Step(20))])
    assert by_name(items, StepsDone)[-1].learning_rates[0] < 1.5
    assert by_name(items, StepsDone)[-1].learning_rates[1] == 0.25
