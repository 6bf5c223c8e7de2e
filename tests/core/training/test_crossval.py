"""A cross-validation is so many ordinary runs, and leaves nothing behind."""

import math

import numpy as np
import pytest
import torch

from core.data.folds import fold_numbers, folds, pooled
from core.data.preparation import Preparation
from core.data.tabular import Diabetes, Iris
from core.errors import SpecError
from core.events import EpochDone, Finished
from core.experiment.experiment import Budget, Lane
from core.experiment.fold_plan import expected_steps, fold_steps, reason_against
from core.experiment.origin import Origin
from core.jobs.cross_validation import CrossValidationJob
from core.jobs.inline import run_inline
from core.jobs.job import Stopped
from core.jobs.shipping import AnyJob
from core.optim.losses import MeanSquaredError
from core.optim.regularizers import WeightAverage
from core.results.codec import load_result, result_bytes
from core.results.cross_validation import CrossValidation, mean_and_spread
from core.settings import Settings
from core.spec import choices
from core.training.crossval import cross_validation
from core.training.loop import train
from tests.core.samples import linear, optimizer_like, spiral, stack

IRIS = spiral(
    data=Iris(),
    model=stack(linear(6), "Tanh", ("Dropout", {"p": 0.2}), linear(3)),
    lanes=(Lane(optimizer=optimizer_like("adam", 0.02)), Lane(optimizer=optimizer_like("sgd", 0.1))),
    budget=Budget(epochs=3),
    batch_size=32,
    seed=4,
)

NUMBERS = spiral(
    data=Diabetes(),
    model=stack(linear(4), "Tanh", linear(1)),
    loss=MeanSquaredError(),
    budget=Budget(epochs=4),
    batch_size=32,
)


@pytest.fixture
def found(home) -> CrossValidation:
    return cross_validation(IRIS, 3)


def ordinary(experiment, fold, k=3):
    """The events of a run on the data of one fold."""
    original = experiment.data.original(experiment.seed)
    numbers = fold_numbers(pooled(original).y, k, experiment.seed)
    splits = list(folds(original, numbers, experiment.data.preparation, experiment.seed))[fold]
    return list(train(experiment, splits=splits))


def test_a_fold_is_an_ordinary_run_bit_for_bit(found):
    for fold in range(3):
        events = ordinary(IRIS, fold)
        rows = [event for event in events if isinstance(event, EpochDone)]
        assert np.array_equal(found.validation_loss[:, fold].T, [row.validation_loss for row in rows])
        assert np.array_equal(found.validation_score[:, fold].T, [row.validation_accuracy for row in rows])
        assert np.array_equal(found.train_loss[:, fold].T, [row.train_loss for row in rows])
        end = next(event for event in events if isinstance(event, Finished))
        assert np.array_equal(found.last_loss[:, fold], end.test_loss)
        assert found.steps[fold] == end.step


def test_what_is_said_of_held_out_examples_gives_the_scores(found):
    is_right = found.predicted == found.labels
    for fold in range(3):
        assert is_right[:, found.fold_of == fold].mean(1) == pytest.approx(found.last_score[:, fold])
    assert np.array_equal(found.last_loss, found.validation_loss[:, :, -1])
    assert len(found.labels) == found.n_train[0] + found.n_held_out[0]


def test_best_epochs_are_those_of_the_lowest_held_out_loss(found):
    places = found.best_places()
    assert np.array_equal(places, found.validation_loss.argmin(2))
    assert np.array_equal(found.best_losses(), found.validation_loss.min(2))
    assert found.best_scores()[1, 2] == found.validation_score[1, 2, places[1, 2]]


def test_mean_and_spread_are_those_of_numpy_and_pass_over_what_diverged(found):
    mean, spread = mean_and_spread(found.validation_loss[0])
    assert mean == pytest.approx(found.validation_loss[0].mean(0))
    assert spread == pytest.approx(found.validation_loss[0].std(0, ddof=1))
    mean, spread = mean_and_spread(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert (mean[0], spread[0]) == (2.0, pytest.approx(math.sqrt(2)))
    assert np.isnan([mean[1], spread[1]]).all()


def test_it_leaves_no_trace(home):
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    cross_validation(IRIS.but(budget=Budget(epochs=1)), 2)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_numbers_are_predicted_in_their_own_unit(home):
    found = cross_validation(NUMBERS, 3)
    for fold in range(3):
        here = found.fold_of == fold
        errors = found.values[0, here] - found.targets[here]
        targets = found.targets[here]
        r2 = 1 - (errors**2).sum() / ((targets - targets.mean()) ** 2).sum()
        assert found.last_score[0, fold] == pytest.approx(r2, rel=1e-4)
    assert not found.is_accuracy
    assert np.array_equal(load_result(CrossValidation, result_bytes(found)).values, found.values)


def test_a_lane_that_diverges_has_no_figures_and_no_predictions(home):
    raw = Diabetes(preparation=Preparation(scaling="none", scale_target=False))
    lanes = (Lane(optimizer=optimizer_like("adam", 0.01)), Lane(optimizer=optimizer_like("sgd", 10.0)))
    found = cross_validation(NUMBERS.but(data=raw, lanes=lanes, model=stack(linear(1))), 2)
    assert np.isfinite(found.last_loss[0]).all()
    assert np.isnan(found.last_loss[1]).all()
    assert np.isnan(found.last_score[1]).all()
    assert np.isnan(found.values[1]).all()
    assert np.isfinite(found.values[0]).all()
    alone = cross_validation(NUMBERS.but(data=raw, lanes=lanes[1:], model=stack(linear(1))), 2)
    assert np.isnan(alone.last_loss).all()


def test_budgets_in_steps_end_in_the_middle_of_an_epoch_and_still_have_figures(home):
    found = cross_validation(IRIS.but(budget=Budget(epochs=None, steps=1)), 2)
    assert found.validation_loss.shape == (2, 2, 0)
    assert np.isfinite(found.last_loss).all()
    assert (found.best_places() == -1).all()
    assert np.isnan(found.best_scores()).all()


def test_progress_goes_over_all_folds_and_stopping_is_at_once(home):
    seen = []

    def report(done, total):
        seen.append((done, total))
        if done > total // 2:
            raise Stopped

    with pytest.raises(Stopped):
        cross_validation(IRIS, 3, report=report)
    total = expected_steps(IRIS, 3)
    assert {one for _done, one in seen[1:]} == {total}
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    assert seen[-1][0] < total


def test_a_batch_of_one_example_is_refused_before_anything_is_trained(home):
    experiment = IRIS.but(model=stack(linear(4), "BatchNorm1d", linear(3)), batch_size=21)
    with pytest.raises(SpecError, match="single example"):
        cross_validation(experiment, 2)  # 64 training examples are three batches of 21, and one example


def test_the_job_is_on_the_menu_and_gives_the_result(home):
    assert CrossValidationJob in choices(AnyJob)
    job = CrossValidationJob.of(IRIS.but(repeats=3), 3)
    job.check(Settings())
    assert job.experiment.repeats == 1
    assert job.lane == "training"
    made = [item for item in run_inline(job, Settings()) if getattr(item, "name", "") == "result.npz"]
    found = load_result(CrossValidation, made[0].data)
    assert np.array_equal(found.last_loss, cross_validation(IRIS, 3).last_loss)
    few = IRIS.data.but(train_share=0.1, validation_share=0.05)
    with pytest.raises(SpecError, match="some class has"):
        CrossValidationJob.of(IRIS.but(data=few, batch_size="full"), 20).check(Settings())


def test_a_fork_starts_again_and_says_so(home):
    origin = Origin(run="abc", name="step.safetensors", sha256="0" * 64)
    found = cross_validation(IRIS.but(origin=origin, frozen=(0,), budget=Budget(epochs=1)), 2)
    assert "fresh initial weights" in found.notes[0]
    assert np.array_equal(found.last_loss, cross_validation(IRIS.but(budget=Budget(epochs=1)), 2).last_loss)


def test_steps_are_known_before():
    assert fold_steps(IRIS, 85) == 9
    assert fold_steps(IRIS.but(budget=Budget(epochs=None, seconds=3.0)), 85) is None
    assert expected_steps(IRIS.but(budget=Budget(steps=5)), 4) == 20
    assert reason_against(IRIS, 20) == ""


@pytest.mark.parametrize(
    "changes",
    [{"frozen": (0,)}, {"lanes": (Lane(optimizer=optimizer_like("adam", 0.02), regularizers=(WeightAverage(),)),)}],
    ids=["frozen layers", "averaged weights"],
)
def test_what_is_said_comes_from_the_weights_that_are_judged(home, changes):
    found = cross_validation(IRIS.but(**changes), 2)
    for fold in range(2):
        is_right = (found.predicted == found.labels)[:, found.fold_of == fold]
        assert is_right.mean(1) == pytest.approx(found.last_score[:, fold])
