"""A cell of a sweep is the run that it stands for, trained alone."""

import numpy as np
import pytest

from core.data.tabular import Diabetes
from core.errors import SpecError
from core.events import EpochDone, Finished
from core.experiment.check import checked
from core.experiment.experiment import Budget, Lane
from core.experiment.rates import Grid, with_rate
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Cosine
from core.settings import Settings
from core.training.loop import train
from core.training.sweep import sweep
from tests.core.samples import linear, spiral, stack

LANES = (Lane(optimizer=SGD(momentum=0.9)), Lane(optimizer=Adam(), schedule=Cosine()))
EXPERIMENT = spiral(lanes=LANES, batch_size=25)  # 4 steps an epoch
GRID = Grid(lowest=-3, highest=-1, steps=8, seeds=2)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError(), batch_size=64, lanes=LANES[:1])


@pytest.fixture(scope="module")
def found():
    return sweep(EXPERIMENT, GRID)


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cell_is_the_end_of_a_run_of_its_own(found, lane, place):
    alone = EXPERIMENT.but(lanes=(with_rate(LANES[lane], GRID.rates()[place]),), repeats=2, budget=Budget(epochs=None, steps=8))
    last = [event for event in train(alone) if isinstance(event, EpochDone)][-1]
    assert last.step == 8
    assert found.losses[lane, place] == pytest.approx(last.validation_loss, abs=1e-5)
    assert found.scores[lane, place].tolist() == list(last.validation_accuracy)


def test_the_steps_need_not_make_whole_epochs():
    found = sweep(EXPERIMENT, GRID.but(steps=7, lowest=-2, seeds=1))
    assert found.losses.shape == (2, 2, 1)
    assert np.isfinite(found.losses).all()


def test_the_validation_split_is_looked_at_and_not_the_test_split(found):
    alone = EXPERIMENT.but(lanes=(with_rate(LANES[0], 0.1),), repeats=2, budget=Budget(epochs=None, steps=8))
    tested = next(event for event in train(alone) if isinstance(event, Finished)).test_loss
    assert found.losses[0, 2] != pytest.approx(tested, abs=1e-3)


def test_cells_that_diverge_have_no_figures_and_the_others_go_on():
    found = sweep(NUMBERS, Grid(lowest=-2, highest=1, steps=300))
    assert np.isnan(found.losses[0, -1, 0])
    assert np.isnan(found.scores[0, -1, 0])
    assert np.isfinite(found.losses[0, 0, 0])
    assert found.best(0) is not None


def test_where_all_diverge_there_is_no_best():
    found = sweep(NUMBERS, Grid(lowest=0, highest=1, steps=300))
    assert np.isnan(found.losses).all()
    assert found.best(0) is None
    assert not found.is_accuracy


def test_cells_are_trained_in_parts_where_memory_is_short():
    wide = EXPERIMENT.but(model=stack(linear(1000), "Tanh", linear(2)))
    short = Settings(worker_memory_mb=67)  # 64 MB, and half a one for each series
    cells = tuple(with_rate(lane, rate) for lane in LANES for rate in GRID.rates())
    with pytest.raises(SpecError, match="MB"):
        checked(wide.but(lanes=cells, repeats=GRID.seeds), short)
    seen = []
    in_parts = sweep(wide, GRID, settings=short, report=lambda done, total: seen.append((done, total)))
    assert np.allclose(in_parts.losses, sweep(wide, GRID).losses, atol=1e-5)
    assert seen[-1] == (96, 96)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_targets_and_changes_of_the_experiment_do_not_end_it_early(found):
    easy = EXPERIMENT.but(budget=Budget(epochs=1, target_accuracy=0.01, patience=1))
    assert np.array_equal(sweep(easy, GRID).losses, found.losses)


def test_what_report_raises_ends_it():
    class Enough(Exception):
        pass

    def report(done, total):
        if done:
            raise Enough

    with pytest.raises(Enough):
        sweep(EXPERIMENT, GRID, report=report)


def test_an_experiment_that_cannot_run_is_refused():
    with pytest.raises(SpecError):
        sweep(EXPERIMENT.but(model=stack(linear(3))), GRID)
