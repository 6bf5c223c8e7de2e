"""From checkpoints to the loss around them: the middle is the run's own loss, the ends of the way are its checkpoints."""

import math

import numpy as np
import pytest
import torch

from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.tabular import Diabetes
from core.errors import SpecError, TooExpensive
from core.events import Artifact, EpochDone, Failed
from core.experiment.experiment import Budget
from core.jobs import landscape_lenses
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.landscape_lenses import (
    RING,
    SIDES,
    LandscapeJob,
    LossLineJob,
    LossSurfaceJob,
    evaluation_seconds,
    known_places,
    way_places,
)
from core.jobs.menu import parse_job
from core.jobs.plane_lenses import SharedPlaneJob
from core.optim.losses import MeanSquaredError
from core.results.codec import load_result, result_bytes
from core.results.landscape import LossLine, LossSurface
from core.results.shared_plane import SharedPlane
from core.settings import Settings
from core.training.loop import train
from tests.core.samples import linear, spiral, stack

SETTINGS = Settings()
NORMAL = stack(("Conv2d", {"out_channels": 4, "kernel_size": 5, "stride": 4}), "BatchNorm2d", "ReLU", "Flatten", linear(10))
NUMBERS = spiral(
    data=Diabetes(preparation=Preparation(scaling="standardise")), model=stack(linear(1)), loss=MeanSquaredError(), steps=20
)


@pytest.fixture(autouse=True)
def _nothing_is_known():
    known_places.cache_clear()


def trained(experiment) -> tuple[MemoryShelf, list, list[EpochDone]]:
    """The checkpoints of a run in order of steps, and its epochs."""
    shelf, epochs = MemoryShelf(), []
    for item in train(experiment):
        assert not isinstance(item, Failed), item
        if isinstance(item, Artifact):
            shelf.put("run", item)
        elif isinstance(item, EpochDone):
            epochs.append(item)
    return shelf, sorted(shelf.references("run"), key=lambda ref: ref.name.rpartition("-")[2]), epochs


def result(job, shelf, wanted):
    (data,) = [item.data for item in run_inline(job, SETTINGS, shelf=shelf, run="lens") if isinstance(item, Artifact)]
    return load_result(wanted, data)


def message(job, shelf) -> str:
    events = [item.event for item in run_inline(job, SETTINGS, shelf=shelf) if not isinstance(item, Artifact)]
    assert isinstance(events[-1], Failed)
    return events[-1].message


def test_the_middle_is_the_runs_own_loss_and_accuracy_at_that_moment():
    run = spiral(budget=Budget(epochs=4))
    shelf, refs, epochs = trained(run)
    last = epochs[-1]
    on_train = result(LossSurfaceJob(experiment=run, weights=refs[-1]), shelf, LossSurface)
    assert (on_train.step, on_train.n_examples, on_train.split) == (last.step, run.data.profile().n_train, "train")
    assert on_train.centre_loss == pytest.approx(last.train_loss[0], rel=1e-6)
    assert on_train.centre_score == pytest.approx(last.train_accuracy[0])
    on_validation = result(LossSurfaceJob(experiment=run, weights=refs[-1], split="validation"), shelf, LossSurface)
    assert on_validation.centre_loss == pytest.approx(last.validation_loss[0], rel=1e-6)
    assert on_validation.centre_score == pytest.approx(last.validation_accuracy[0])
    line = result(LossLineJob(experiment=run, weights=refs[-1], n=41), shelf, LossLine)
    assert line.at[20] == 0
    assert line.train_loss[20] == pytest.approx(last.train_loss[0], rel=1e-6)
    assert line.validation_score[20] == pytest.approx(last.validation_accuracy[0])
    again = load_result(LossSurface, result_bytes(on_train))
    assert again.lengths == on_train.lengths
    assert np.array_equal(again.loss, on_train.loss)


def test_the_line_is_the_middle_row_of_the_plane_along_the_same_direction():
    run = spiral()
    shelf, refs, _ = trained(run)
    plane = result(LossSurfaceJob(experiment=run, weights=refs[-1], side=21, seed=3), shelf, LossSurface)
    line = result(LossLineJob(experiment=run, weights=refs[-1], n=41, seed=3), shelf, LossLine)
    np.testing.assert_allclose(line.train_loss[::2], plane.loss[10], rtol=1e-5)
    assert line.length == pytest.approx(plane.lengths[0])
    assert plane.angle == pytest.approx(90)
    assert plane.n_filters == 10
    assert line.n_moved == 2 * 8 + 8 * 2
    assert line.n_parameters == line.n_moved + 10


def test_the_ends_of_the_way_are_the_checkpoints():
    run = spiral(steps=200, repeats=2)
    shelf, refs, _ = trained(run)
    job = LossLineJob(experiment=run, weights=refs[-1], series=1, along="from_start", n=41)
    assert parse_job(job.model_dump_json()) == job
    line = result(job, shelf, LossLine)
    assert (line.at[0], line.at[10], line.at[30], line.at[-1]) == (-0.5, 0, 1, 1.5)
    for place, ref in ((10, refs[0]), (30, refs[-1])):
        own = result(LossLineJob(experiment=run, weights=ref, series=1, n=41), shelf, LossLine)
        assert line.train_loss[place] == pytest.approx(own.train_loss[20], rel=1e-6)
        assert line.validation_loss[place] == pytest.approx(own.validation_loss[20], rel=1e-6)
        assert line.train_score[place] == own.train_score[20]
    assert line.train_loss[30] < line.train_loss[10]
    assert set(way_places(161)) >= set(way_places(81)) >= {0.0, 1.0, -0.5, 1.5}


def test_from_the_initial_weights_to_themselves_there_is_no_line():
    shelf, refs, _ = trained(spiral())
    for weights in (None, refs[0]):
        assert "no line" in message(LossLineJob(experiment=spiral(), weights=weights, along="from_start"), shelf)


def test_without_a_run_the_initial_weights_are_looked_at():
    plane = result(LossSurfaceJob(experiment=spiral()), MemoryShelf(), LossSurface)
    assert plane.step == 0
    assert plane.centre_loss == pytest.approx(math.log(2), abs=0.5)


def test_a_linear_model_has_a_convex_landscape_and_its_score_is_r2():
    shelf, refs, _ = trained(NUMBERS)
    plane = result(LossSurfaceJob(experiment=NUMBERS, weights=refs[-1], span=2.0), shelf, LossSurface)
    assert not plane.is_classification
    assert plane.unit == MeanSquaredError.unit
    for lines in (plane.loss, plane.loss.T):
        assert (np.diff(lines, 2, axis=1) > 0).all()
    assert plane.rise > 0
    assert plane.centre_score <= 1


@pytest.mark.parametrize("finer", [21, 41])
def test_a_finer_plane_goes_on_from_a_coarser_one_and_is_the_same_as_alone(finer, monkeypatch):
    run = spiral()
    shelf, refs, _ = trained(run)
    counted = []
    original = landscape_lenses.measure

    def counting(*args):
        at = original(*args)

        def asked(weights):
            counted.append(1)
            return at(weights)

        return asked

    monkeypatch.setattr(landscape_lenses, "measure", counting)
    job = LossSurfaceJob(experiment=run, weights=refs[-1], side=finer)
    alone = result(job, shelf, LossSurface)
    n_alone = len(counted)
    assert finer**2 < n_alone <= job.n_evaluations == finer**2 + RING  # one of the ring may lie on the grid
    known_places.cache_clear()
    coarse = result(job.but(side=11), shelf, LossSurface)
    counted.clear()
    after = result(job, shelf, LossSurface)
    assert len(counted) == n_alone - 11**2 - RING
    assert np.array_equal(after.loss, alone.loss)
    assert np.array_equal(after.loss[:: (finer - 1) // 10, :: (finer - 1) // 10], coarse.loss)
    other = result(job.but(side=11, seed=1), shelf, LossSurface)
    assert not np.allclose(other.loss, coarse.loss)


def test_batch_normalisation_is_recomputed_and_said_so():
    run = spiral(data=Digits(), model=NORMAL, batch_size=64, steps=5)
    shelf, refs, _ = trained(run)
    plane = result(LossSurfaceJob(experiment=run, weights=refs[-1], n_examples=64), shelf, LossSurface)
    assert plane.is_recomputed
    assert plane.n_examples == 64
    assert plane.n_filters == 4 + 10
    assert np.isfinite(plane.loss).all()


def test_random_numbers_of_everybody_else_are_untouched():
    shelf, refs, _ = trained(spiral())
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    result(LossSurfaceJob(experiment=spiral(), weights=refs[-1]), shelf, LossSurface)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])


def test_what_takes_too_long_is_refused_with_a_side_that_fits(monkeypatch):
    job = LossSurfaceJob(experiment=spiral(), side=61)
    job.check(SETTINGS)
    each = evaluation_seconds(job.experiment, job.n_examples)
    monkeypatch.setattr(landscape_lenses, "MAX_S", 500 * each)
    with pytest.raises(TooExpensive, match="Take 21 places along each side"):
        job.check(SETTINGS)
    job.but(side=21).check(SETTINGS)
    monkeypatch.setattr(landscape_lenses, "MAX_S", each)
    with pytest.raises(TooExpensive, match="fewer examples"):
        job.check(SETTINGS)
    with pytest.raises(TooExpensive, match="fewer examples"):
        LossLineJob(experiment=spiral()).check(SETTINGS)
    assert job.seconds == pytest.approx(each * (61**2 + RING))
    assert max(SIDES) == 61
    assert each < evaluation_seconds(job.experiment, 2 * job.n_examples) < 2 * each


def test_what_takes_too_much_memory_is_refused_with_a_number_that_fits(monkeypatch):
    job = LossSurfaceJob(experiment=spiral(), n_examples=256)
    monkeypatch.setattr(landscape_lenses, "ACTIVATIONS_BYTES", 100 * 4 * (2 + 8 + 8 + 2))
    with pytest.raises(TooExpensive, match="Take 100 examples"):
        job.check(SETTINGS)
    job.but(n_examples=100).check(SETTINGS)
    monkeypatch.setattr(landscape_lenses, "MAX_WEIGHTS", 41)
    with pytest.raises(TooExpensive, match="42 weights"):
        job.check(SETTINGS)


def test_a_job_must_say_what_it_costs():
    with pytest.raises(TypeError):
        LandscapeJob(kind="none", experiment=spiral()).n_evaluations  # noqa: B018


@pytest.mark.parametrize("bad", [{"side": 12}, {"span": 0.0}, {"span": 5.0}, {"n_examples": 15}, {"seed": -1}])
def test_bounds_hold(bad):
    with pytest.raises(SpecError):
        LossSurfaceJob(experiment=spiral()).but(**bad)


def test_one_lane_alone_has_a_plane_of_its_own():
    race = spiral(steps=40, lanes=(*spiral("sgd", 0.1).lanes, *spiral("adam", 0.05).lanes))
    shelf, refs = MemoryShelf(), ()
    for steps in (5, 20, 40):
        for item in train(race.but(budget=Budget(epochs=None, steps=steps))):
            if isinstance(item, Artifact):
                shelf.put("run", item)
    refs = tuple({ref.name: ref for ref in shelf.references("run")}.values())
    found = result(SharedPlaneJob(experiment=race, checkpoints=refs, only=1, side=3), shelf, SharedPlane)
    both = result(SharedPlaneJob(experiment=race, checkpoints=refs, side=3), shelf, SharedPlane)
    assert found.lanes == (1,)
    assert found.labels == (race.lanes[1].label,)
    assert np.array_equal(found.path_losses[0], both.path_losses[1])
    assert found.explained.sum() >= both.explained.sum()
    with pytest.raises(SpecError, match="no lane 2"):
        SharedPlaneJob(experiment=race, checkpoints=refs, only=2).check(SETTINGS)
