"""The training generator: its order of events, its commands, and that a resumed run is the uninterrupted one."""

import math

import pytest

from core.errors import SpecError
from core.events import (
    Artifact,
    EpochDone,
    Failed,
    Finished,
    HyperChanged,
    Noticed,
    Pause,
    Paused,
    SetHyper,
    Started,
    Step,
    StepMeasured,
    StepsDone,
    Stop,
    SurfaceMeasured,
)
from core.experiment.experiment import Budget, Lane
from core.history import History
from core.settings import Settings
from core.training.checkpoints import load_state
from core.training.loop import train
from core.training.story import SURFACE_S, SURFACE_SLOWER
from tests.core.samples import linear, optimizer_like, spiral, stack


def told(stream):
    return list(stream)


def curve(items):
    history = History()
    for item in items:
        if not isinstance(item, Artifact):
            history.append(item)
    return [list(losses) for losses in history.losses]


def last_checkpoint(items):
    return [item for item in items if isinstance(item, Artifact)][-1]


def weights(data):
    return [{name: tensor.tolist() for name, tensor in model.items()} for model in load_state(data).models]


def test_a_stream_starts_once_and_ends_with_exactly_one_finished():
    items = told(train(spiral(steps=25)))
    assert isinstance(items[0], Started)
    assert [type(item) for item in items].count(Started) == 1
    ends = [item for item in items if isinstance(item, Finished | Failed)]
    assert ends == [items[-1]]
    assert items[-1].reason == "completed"
    assert items[-1].step == 25
    assert len(curve(items)[0]) == 25


def test_every_epoch_is_validated_at_its_last_step():
    items = told(train(spiral(budget=Budget(epochs=3))))
    started = items[0]
    epochs = [item for item in items if isinstance(item, EpochDone)]
    assert [epoch.step for epoch in epochs] == [started.steps_per_epoch * n for n in (1, 2, 3)]
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]


def test_equal_seeds_give_equal_curves_and_other_seeds_give_others():
    first, again, other = (curve(train(spiral(seed=seed))) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    "model", [stack(linear(8), "Tanh", linear(2)), stack(linear(16), "BatchNorm1d", "ReLU", "Dropout", linear(2))]
)
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adagrad"])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(model, optimizer):
    experiment = spiral(optimizer, steps=50, model=model)
    whole = told(train(experiment))
    half = told(train(experiment.but(budget=Budget(epochs=None, steps=23))))
    rest = told(train(experiment, resume=last_checkpoint(half).data))
    resumed = [loss for item in rest if isinstance(item, StepsDone) for loss in item.losses[0]]
    assert curve(half)[0] + resumed == curve(whole)[0]
    assert weights(last_checkpoint(rest).data) == weights(last_checkpoint(whole).data)


def test_a_change_by_hand_holds_from_the_next_step_and_is_replayed_after_a_crash():
    experiment = spiral("sgd", lr=0.1, steps=40)
    stream = train(experiment, settings=Settings(checkpoint_s=1000))
    items = [next(stream), next(stream), next(stream)]
    start = items[2]
    answer = None
    stream.send(Step(10))
    while not isinstance(item := next(stream), Paused):
        items.append(item)
    answer = stream.send(SetHyper(0, "lr", 0.01))
    items += list(stream)
    assert answer == HyperChanged(step=10, lane=0, name="lr", old=0.1, new=0.01)
    rates = {item.first_step: item.learning_rates[0] for item in items if isinstance(item, StepsDone)}
    assert rates[1] == 0.1
    assert rates[11] == 0.01
    replayed = told(train(experiment, resume=start.data, replay=[(10, SetHyper(0, "lr", 0.01))]))
    assert curve(replayed) == curve([items[0], *items[3:]])
    assert curve(replayed) != curve(train(experiment))


def test_a_change_out_of_bounds_is_told_and_the_run_goes_on_unchanged():
    stream = train(spiral())
    items = [next(stream)]
    notice = stream.send(SetHyper(0, "lr", -1.0))
    assert isinstance(notice, Noticed)
    assert "lr" in notice.message
    assert curve([*items, *stream]) == curve(train(spiral()))


def test_a_step_by_hand_makes_so_many_steps_and_says_that_it_waits():
    stream = train(spiral())
    next(stream)
    stream.send(Step(3))
    items = []
    while not isinstance(item := next(stream), Paused):
        items.append(item)
    assert item.step == 3
    assert sum(len(item.losses[0]) for item in items if isinstance(item, StepsDone)) == 3


def test_stop_keeps_the_result():
    stream = train(spiral(steps=10_000_000))
    next(stream)
    items = [stream.send(Stop()), *stream]
    assert isinstance(items[-1], Finished)
    assert items[-1].reason == "stopped"
    assert load_state(last_checkpoint(items).data).step == items[-1].step


def test_a_diverged_run_fails_in_words_and_keeps_finite_weights():
    wild = spiral("sgd", lr=10.0, steps=5000, model=stack(linear(64), "ReLU", linear(64), "ReLU", linear(2)))
    items = told(train(wild))
    assert isinstance(items[-1], Failed)
    assert items[-1].code == "diverged"
    assert "learning rate" in items[-1].message
    assert items[-1].hint
    state = load_state(last_checkpoint(items).data)
    assert all(tensor.isfinite().all() for tensor in state.models[0].values())


def test_one_diverging_lane_leaves_the_others_running():
    lanes = (Lane(optimizer=optimizer_like("sgd", 10.0)), Lane(optimizer=optimizer_like("adam", 0.001)))
    model = stack(linear(64), "ReLU", linear(64), "ReLU", linear(2))
    items = told(train(spiral(lanes=lanes, model=model, steps=300)))
    assert isinstance(items[-1], Finished)
    first, second = curve(items)
    assert math.isnan(first[-1])
    assert math.isfinite(second[-1])


def test_lanes_of_a_race_equal_the_same_optimizers_run_alone():
    lanes = (Lane(optimizer=optimizer_like("sgd", 0.1)), Lane(optimizer=optimizer_like("adam", 0.01)))
    model = stack(linear(8), "Tanh", "Dropout", linear(2))
    together = curve(train(spiral(lanes=lanes, model=model)))
    alone = [curve(train(spiral(lanes=(lane,), model=model)))[0] for lane in lanes]
    assert together == alone


def test_repeats_differ_in_start_and_order_and_the_first_is_the_plain_run():
    repeated = curve(train(spiral(repeats=2)))
    assert repeated[0] == curve(train(spiral()))[0]
    assert repeated[0] != repeated[1]


def test_the_target_ends_the_run_early():
    items = told(train(spiral(budget=Budget(epochs=50, target_accuracy=0.2))))
    assert items[-1].reason == "target"
    assert items[-1].step < 50 * items[0].steps_per_epoch


def test_an_experiment_that_cannot_run_is_refused_before_anything_is_allocated():
    broken = spiral(model=stack(("Conv2d", {"out_channels": 4}), linear(2)))
    with pytest.raises(SpecError, match="Conv2d"):
        next(train(broken))


def test_a_pause_tells_and_keeps_all_there_is_before_it_says_so():
    stream = train(spiral(steps=100_000), settings=Settings(checkpoint_s=1000))
    items = [next(stream)]
    while len([item for item in items if isinstance(item, StepsDone)]) < 3:
        items.append(next(stream))
    item = stream.send(Pause())
    while not isinstance(item, Paused):
        items.append(item)
        item = next(stream)
    told_steps = sum(len(event.losses[0]) for event in items if isinstance(event, StepsDone))
    assert item.step == told_steps
    assert load_state(last_checkpoint(items).data).step == item.step
    assert isinstance(next(stream), StepsDone | EpochDone | Artifact | StepMeasured | SurfaceMeasured)


def test_a_target_that_was_reached_is_remembered_over_a_resume():
    experiment = spiral(budget=Budget(epochs=50, target_accuracy=0.2))
    items = told(train(experiment))
    resumed = told(train(experiment, resume=last_checkpoint(items).data))
    assert resumed[-1].reason == "target"
    assert resumed[-1].step == items[-1].step


def test_a_series_that_diverged_stays_dead_over_a_resume_and_is_told_once():
    lanes = (Lane(optimizer=optimizer_like("sgd", 10.0)), Lane(optimizer=optimizer_like("adam", 0.001)))
    model = stack(linear(64), "ReLU", linear(64), "ReLU", linear(2))
    experiment = spiral(lanes=lanes, model=model, steps=400)
    whole = told(train(experiment))
    half = told(train(experiment.but(budget=Budget(epochs=None, steps=300))))
    rest = told(train(experiment, resume=last_checkpoint(half).data))
    resumed = [loss for item in rest if isinstance(item, StepsDone) for loss in item.losses[0]]
    assert all(math.isnan(loss) for loss in resumed)
    assert curve(whole)[1] == curve(half)[1] + [x for item in rest if isinstance(item, StepsDone) for x in item.losses[1]]
    assert [type(item) for item in half + rest].count(Noticed) == 1


def test_many_steps_by_hand_are_told_on_the_way_and_can_be_stopped():
    stream = train(spiral(steps=10_000_000))
    next(stream)
    item = stream.send(Step(10_000_000))
    while not isinstance(item, StepsDone):
        item = next(stream)
    assert len(item.losses[0]) < 10_000
    assert isinstance([stream.send(Stop()), *stream][-1], Finished)


def test_divergence_is_told_with_the_step_at_which_it_came():
    wild = spiral("sgd", lr=10.0, steps=5000, model=stack(linear(64), "ReLU", linear(64), "ReLU", linear(2)))
    items = told(train(wild))
    first = next(i + 1 for i, loss in enumerate(curve(items)[0]) if not math.isfinite(loss))
    assert f"at step {first:,}" in items[-1].message
    names = [item.name for item in items if isinstance(item, Artifact)]
    assert len(set(names)) == len(names)


def test_surfaces_come_more_rarely_the_longer_a_run_takes():
    gaps = 0.0
    n = 0
    while gaps < 86_400:
        gaps += SURFACE_S + SURFACE_SLOWER * gaps
        n += 1
    assert n < 2_500
