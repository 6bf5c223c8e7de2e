"""Phases and epochs by hand, slow motion, early stopping, and where a run waits."""

import math
import time

import numpy as np
import pytest
import torch

from core.events import (
    Artifact,
    EpochDone,
    Failed,
    Finished,
    Pause,
    Paused,
    PhaseDone,
    SetHyper,
    SetSpeed,
    Started,
    Step,
    StepMeasured,
    StepsDone,
    Stop,
    SurfaceMeasured,
)
from core.experiment.changes import HyperChange
from core.experiment.experiment import Budget, Lane
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Plateau
from core.settings import Settings
from core.training.checkpoints import load_state
from core.training.live_run import LiveRun
from core.training.loop import pending_changes, train
from tests.core.samples import linear, spiral, stack
from tests.core.training.test_lanes import QUIET, curves, played, race

DROPOUT = stack(linear(8), "ReLU", ("Dropout", {"p": 0.3}), linear(2))


def until_paused(stream, command):
    """The items after `command`, up to the pause."""
    items = [stream.send(command)]
    while not isinstance(items[-1], Paused):
        items.append(next(stream))
    return items


def begun(experiment):
    """A run that waits before its first step, and all it has said."""
    stream, items = train(experiment, settings=QUIET, starts_paused=True), []
    while not items or not isinstance(items[-1], Paused):
        items.append(next(stream))
    return stream, items


def test_a_run_that_starts_paused_waits_at_the_initial_weights_that_its_seed_gives():
    experiment = spiral()
    _, items = begun(experiment)
    assert [type(item) for item in items if isinstance(item, Started | Paused | StepsDone)] == [Started, Paused]
    checkpoint = next(item for item in items if isinstance(item, Artifact))
    fresh = LiveRun(experiment, experiment.data.splits(0), None, QUIET)
    kept = load_state(checkpoint.data).models[0]
    assert all(torch.equal(kept[name], tensor) for name, tensor in fresh.series[0].model.state_dict().items())


@pytest.mark.parametrize("model", [spiral().model, DROPOUT])
def test_four_phases_are_one_step_and_show_its_very_numbers(model):
    experiment = spiral(model=model)
    plain = curves(played(experiment))[0]
    stream, _ = begun(experiment)
    seen = []
    for phase in ("forward", "loss", "backward", "update"):
        items = until_paused(stream, Step(1, "phase"))
        told = [item for item in items if isinstance(item, PhaseDone)]
        assert [event.phase for event in told] == [phase]
        assert told[0].step == 1
        seen += items
    steps = [item for item in seen if isinstance(item, StepsDone)]
    assert [(item.first_step, len(item.losses[0])) for item in steps] == [(1, 1)]
    assert steps[0].losses[0][0] == plain[0]
    by_phase = {item.phase: item for item in seen if isinstance(item, PhaseDone)}
    assert f"{plain[0]:.6g}" in by_phase["loss"].text
    gradients = {view.name.removeprefix("gradient of "): view for view in by_phase["backward"].tensors}
    changes = {view.name.removeprefix("change of "): view for view in by_phase["update"].tensors}
    assert gradients.keys() == changes.keys()
    for name, gradient in gradients.items():  # Adam's first step has the size of the learning rate, against the gradient
        values, moved = (np.frombuffer(view.values, "<f4") for view in (gradient, changes[name]))
        strong = np.abs(values) > 1e-4
        np.testing.assert_allclose(moved[strong], -0.01 * np.sign(values[strong]), rtol=2e-3)
    rest = [item for item in stream if isinstance(item, StepsDone)]
    losses = [loss for item in [*steps, *rest] for loss in item.losses[0]]
    np.testing.assert_array_equal(losses, plain)


def test_going_on_in_the_middle_of_a_step_makes_the_step_once():
    plain = curves(played(spiral()))[0]
    stream, _ = begun(spiral())
    until_paused(stream, Step(2, "phase"))
    losses = [loss for item in stream if isinstance(item, StepsDone) for loss in item.losses[0]]
    np.testing.assert_array_equal(losses, plain)


def test_an_epoch_by_hand_ends_at_the_end_of_the_epoch():
    stream, items = begun(spiral())
    whole = items[0].steps_per_epoch
    until_paused(stream, Step(3))
    items = until_paused(stream, Step(1, "epoch"))
    assert items[-1] == Paused(whole)
    assert [item.epoch for item in items if isinstance(item, EpochDone)] == [1]
    assert until_paused(stream, Step(2, "epoch"))[-1] == Paused(3 * whole)


def test_slow_motion_makes_so_many_steps_per_second_and_hears_commands_between_them():
    stream, _ = begun(spiral(steps=4000))
    items, began = [stream.send(SetSpeed(20.0))], time.monotonic()
    assert isinstance(items[-1], Paused)  # it was paused, and is again
    while time.monotonic() - began < 1.0:
        items.append(next(stream))
    made = sum(len(item.losses[0]) for item in items if isinstance(item, StepsDone))
    assert 10 <= made <= 24
    assert None in items
    began = time.monotonic()
    stopped = [stream.send(Stop()), *stream]
    assert time.monotonic() - began < 1.0
    end = stopped[-1]
    assert isinstance(end, Finished)
    assert 0.9 < end.elapsed_s < 2.5  # so the steps per second that the page shows are those that one sees


def test_slow_motion_changes_no_number():
    stream, _ = begun(spiral(steps=12))
    stream.send(SetSpeed(200.0))
    losses = [loss for item in stream if isinstance(item, StepsDone) for loss in item.losses[0]]
    np.testing.assert_array_equal(losses, curves(played(spiral(steps=12)))[0])


def test_a_change_in_a_pause_holds_from_the_next_step():
    stream, _ = begun(spiral("sgd", lr=0.1))
    until_paused(stream, Step(5))
    stream.send(SetHyper(0, "lr", 0.01))
    (step,) = [item for item in until_paused(stream, Step(1)) if isinstance(item, StepsDone)]
    assert step.learning_rates == (0.01,)


def test_a_run_out_of_patience_ends_after_so_many_epochs_without_a_better_validation_loss():
    experiment = spiral("sgd", lr=0.0000001, budget=Budget(epochs=50, patience=3))
    lazy = played(experiment)
    assert lazy[-1].reason in ("patience", "completed")
    jumpy = played(spiral("sgd", lr=3.0, budget=Budget(epochs=400, patience=3)))
    epochs = [item.validation_loss[0] for item in jumpy if isinstance(item, EpochDone)]
    assert jumpy[-1].reason == "patience"
    assert min(epochs[-3:]) >= min(epochs[:-3])
    assert all(min(epochs[n - 3 : n]) < min(epochs[: n - 3]) for n in range(4, len(epochs)))


def test_patience_and_plateau_look_back_over_a_resume():
    lanes = (Lane(optimizer=SGD(lr=2.0), schedule=Plateau(patience=0, gamma=0.5)),)
    experiment = race(*lanes, budget=Budget(epochs=30, patience=12))
    whole = played(experiment)
    half = played(experiment, [(101, Pause())])
    checkpoint = [item for item in half if isinstance(item, Artifact) and item.step == 101][-1]
    rest = played(experiment, resume=checkpoint.data)
    assert rest[-1].reason == whole[-1].reason
    assert rest[-1].step == whole[-1].step
    tail = [loss for item in rest if isinstance(item, StepsDone) for loss in item.losses[0]]
    np.testing.assert_array_equal(curves(whole)[0][101:], tail)
    rates = [item.learning_rates[0] for item in whole if isinstance(item, StepsDone)]
    assert rates[-1] < rates[0]
    assert math.log2(rates[0] / rates[-1]).is_integer()


def test_gradient_accumulation_gives_the_curve_of_the_whole_batch():
    whole, parts = (curves(played(race(Lane(optimizer=Adam(lr=0.01)), accumulation=n)))[0] for n in (1, 3))
    np.testing.assert_allclose(parts, whole, atol=2e-6)


def test_the_best_moment_is_kept():
    items = played(spiral(steps=400))
    best = [item for item in items if isinstance(item, Artifact) and item.name.startswith("best-")]
    epochs = {item.step: item.validation_loss[0] for item in items if isinstance(item, EpochDone)}
    assert best
    assert [epochs[item.step] for item in best] == sorted((epochs[item.step] for item in best), reverse=True)
    assert Settings().checkpoints_mb > 0


def test_a_step_that_is_asked_for_right_after_a_pause_is_made():
    stream = train(spiral(steps=5000), settings=QUIET)
    items = [next(stream)]
    while not isinstance(items[-1], StepsDone):
        items.append(next(stream))
    last = items[-1].first_step + len(items[-1].losses[0]) - 1
    items = [stream.send(Pause())]
    assert not isinstance(items[-1], Paused)
    assert until_paused(stream, Step(3))[-1] == Paused(last + 3)


def test_a_step_by_phases_whose_loss_is_no_number_ends_the_run_in_words():
    wild = stack(linear(64), "ReLU", linear(64), "ReLU", linear(2))
    stream, items = begun(spiral("sgd", lr=10.0, steps=400, model=wild))
    while not isinstance(items[-1], Failed):
        items = [stream.send(Step(4, "phase"))]
        while not isinstance(items[-1], Paused | Failed):
            items.append(next(stream))
    assert items[-1].code == "diverged"
    assert items[-1].step < 400


def test_changes_after_the_same_step_are_made_again_in_the_order_in_which_they_were_made():
    prescribed = HyperChange(after_step=10, lane=0, name="lr", value=0.5)
    by_hand, other = SetHyper(0, "lr", 0.25), SetHyper(0, "lr", 0.125)
    replay = [(10, by_hand), (10, prescribed.command()), (10, other)]
    experiment = spiral(changes=(prescribed, prescribed.but(after_step=12)))
    pending = pending_changes(experiment, 0, replay)
    assert [(one.after_step, one.command.value, one.is_prescribed) for one in pending] == [
        (10, 0.25, False),
        (10, 0.5, True),
        (10, 0.125, False),
        (12, 0.5, True),
    ]


def test_slow_motion_keeps_and_measures_as_full_speed_does():
    stream = train(spiral(steps=150), settings=Settings(checkpoint_s=0.2), starts_paused=True)
    while not isinstance(next(stream), Paused):
        pass
    stream.send(SetSpeed(60.0))
    items = list(stream)
    kept = [item for item in items if isinstance(item, Artifact) and 0 < item.step < 150]
    assert len(kept) >= 2
    assert len([item for item in items if isinstance(item, StepMeasured)]) >= 2
    assert len([item for item in items if isinstance(item, SurfaceMeasured)]) >= 4
