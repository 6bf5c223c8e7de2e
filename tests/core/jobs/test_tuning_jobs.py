"""Range test and sweep as jobs: their results travel, they can be stopped, and what cannot be is refused at once."""

import numpy as np
import pytest

from core.errors import SpecError
from core.events import Artifact, Finished, Progressed
from core.experiment.experiment import Budget, Lane
from core.experiment.rates import Grid
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.job import Stopped
from core.jobs.menu import parse_job
from core.jobs.tuning import RangeTestJob, SweepJob
from core.jobs.work.desk import WorkDesk
from core.optim.optimizers import SGD, Adam
from core.results.codec import load_result
from core.results.range_test import RangeTest
from core.results.sweep import Sweep
from core.settings import Settings
from tests.core.samples import linear, optimizer_like, spiral, stack

EXPERIMENT = spiral(batch_size=70, lanes=(Lane(optimizer=SGD()), Lane(optimizer=Adam())))
RANGE = RangeTestJob(experiment=EXPERIMENT, lane_index=1, steps=81)
SWEEP = SweepJob(experiment=EXPERIMENT, grid=Grid(lowest=-2, steps=5))


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def items_of(job, settings):
    job.check(settings)
    items = list(run_inline(parse_job(job.model_dump_json()), settings))
    events = [item.event for item in items if not isinstance(item, Artifact)]
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Progressed) and event.total > 1 for event in events)
    return next(item.data for item in items if isinstance(item, Artifact))


def test_a_range_test_travels(settings):
    found = load_result(RangeTest, items_of(RANGE, settings))
    assert found.lane == "Adam"
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert np.isnan(found.limit)
    assert found.sharpness > 0
    assert found.loss_unit == "nats"


def test_a_sweep_travels(settings):
    found = load_result(Sweep, items_of(SWEEP, settings))
    assert found.losses.shape == (2, 3, 1)
    assert found.names == ("SGD", "Adam")


@pytest.mark.parametrize("job", [RANGE, SWEEP], ids=["range test", "sweep"])
def test_both_stop_at_once(job, settings):
    desk = WorkDesk(settings, MemoryShelf(), lambda event: None, lambda: True)
    with pytest.raises(Stopped):
        job.result(desk)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (RANGE.but(lane_index=2), "no lane 2"),
        (RANGE.but(experiment=EXPERIMENT.but(lanes=(Lane(optimizer=optimizer_like("rprop")),)), lane_index=0), "first step"),
        (RANGE.but(experiment=EXPERIMENT.but(model=stack(linear(7)))), "7"),
        (SWEEP.but(experiment=EXPERIMENT.but(model=stack(linear(7)))), "7"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_queued(job, message):
    with pytest.raises(SpecError, match=message):
        job.check(Settings())


def test_equal_questions_have_one_key():
    """After a rate was taken over, the result of the test that found it is still the result."""
    other = EXPERIMENT.with_hyper(1, "lr", 0.5).with_hyper(0, "lr", 0.7).but(repeats=3, budget=Budget(epochs=99))
    assert RangeTestJob.of(EXPERIMENT, 1).key() == RangeTestJob.of(other, 1).key()
    assert RangeTestJob.of(EXPERIMENT, 1).key() != RangeTestJob.of(EXPERIMENT, 0).key()
    assert RangeTestJob.of(EXPERIMENT, 1).key() != RangeTestJob.of(other.with_hyper(1, "beta1", 0.5), 1).key()
    one, two = (SweepJob.of(each, each.lanes, Grid()) for each in (EXPERIMENT, other))
    assert one.key() == two.key()
    assert one.key() != SweepJob.of(EXPERIMENT, EXPERIMENT.lanes[:1], Grid()).key()
    assert [lane.label for lane in one.experiment.lanes] == ["SGD", "Adam"]
