"""A fork as a job: it reads its origin by digest, and says so in words when that is gone."""

import pytest
import torch

from core.errors import MissingData
from core.events import ArtifactSaved, Failed, Finished, Noticed
from core.experiment.experiment import Budget
from core.experiment.fork import forked, from_scratch
from core.experiment.origin import Origin
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import ActivationsJob
from core.jobs.training import TrainJob
from core.jobs.tuning import RangeTestJob, SweepJob
from core.jobs.weight_lenses import WeightsOverTimeJob
from core.jobs.work.desk import WorkDesk
from core.settings import Settings
from core.store.protocol import LoggedEvent
from tests.core.samples import spiral

QUIET = Settings(checkpoint_s=1e9)
SOURCE = spiral(budget=Budget(epochs=2))


@pytest.fixture(scope="module")
def shelf():
    kept = MemoryShelf()
    events(TrainJob(experiment=SOURCE), kept, "source")
    return kept


@pytest.fixture(scope="module")
def fork(shelf):
    ref = shelf.references("source")[-1]
    return forked(SOURCE, Origin(run=ref.run, name=ref.name, sha256=ref.sha256, step=40))


def events(job, shelf, run, **more):
    items = run_inline(job, QUIET, shelf=shelf, run=run, **more)
    return [item.event for item in items if isinstance(item, LoggedEvent)]


def test_a_fork_reads_the_checkpoint_by_its_digest(shelf, fork):
    made = events(TrainJob(experiment=fork), shelf, "fork")
    assert isinstance(made[-1], Finished)
    assert any(isinstance(event, Noticed) and event.code == "origin" for event in made)
    assert TrainJob(experiment=fork).key() != TrainJob(experiment=from_scratch(fork)).key()


def test_a_fork_whose_origin_is_gone_fails_in_words_but_goes_on_from_a_checkpoint_of_its_own(shelf, fork):
    gone = fork.but(origin=fork.origin.but(sha256="0" * 64))
    end = events(TrainJob(experiment=gone), shelf, "lost")[-1]
    assert isinstance(end, Failed)
    assert end.code == "missing-data"
    assert "from which this run starts, is not there" in end.message
    saved = [event for event in events(TrainJob(experiment=fork), shelf, "half") if isinstance(event, ArtifactSaved)]
    ref = next(ref for ref in shelf.references("half") if ref.name == saved[0].name)
    assert isinstance(events(TrainJob(experiment=gone), shelf, "half", resume=(ref, ()))[-1], Finished)


def test_the_initial_weights_of_a_fork_are_those_of_its_origin(shelf, fork):
    desk = WorkDesk(QUIET, shelf, lambda event: None, lambda: False)
    look, at_origin = ActivationsJob(experiment=fork), ActivationsJob(experiment=SOURCE, weights=shelf.references("source")[-1])
    (ours, step), (theirs, _) = look.model(desk), at_origin.model(desk)
    assert step == 0
    assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in ours.state_dict().items())
    with pytest.raises(MissingData):
        ActivationsJob(experiment=fork.but(origin=fork.origin.but(sha256="0" * 64))).model(desk)


def test_searches_for_a_rate_begin_where_the_fork_does_without_the_state_of_an_optimizer(shelf, fork):
    warm = fork.but(origin=fork.origin.but(optimizer_state=True))
    job = RangeTestJob.of(warm, 0).but(steps=81)
    assert job.experiment.origin == fork.origin
    assert isinstance(events(job, shelf, "range")[-1], Finished)
    sweep = SweepJob.of(warm, warm.lanes, SweepJob.model_fields["grid"].default.but(steps=10, seeds=1))
    assert sweep.experiment.origin == fork.origin
    assert isinstance(events(sweep, shelf, "sweep")[-1], Finished)


def test_a_run_with_frozen_layers_is_looked_at_over_time(shelf, fork):
    frozen = fork.but(frozen=(0,))
    events(TrainJob(experiment=frozen), shelf, "frozen")
    job = WeightsOverTimeJob(experiment=frozen, checkpoints=shelf.references("frozen"))
    assert isinstance(events(job, shelf, "look")[-1], Finished)
