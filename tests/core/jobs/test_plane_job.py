"""From a race's checkpoints to its ways over the loss."""

import numpy as np
import pytest

from core.data.preparation import Preparation
from core.data.tabular import Diabetes
from core.errors import SpecError
from core.events import Artifact, Failed
from core.experiment.experiment import Budget
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.menu import parse_job
from core.jobs.plane_lenses import SharedPlaneJob, thinned
from core.optim.losses import MeanSquaredError
from core.results.codec import load_result, result_bytes
from core.results.shared_plane import SharedPlane
from core.settings import Settings
from core.training.loop import train
from tests.core.samples import linear, spiral, stack

SETTINGS = Settings()
LANES = (*spiral("sgd", 0.1).lanes, *spiral("adam", 0.05).lanes)


def kept(experiment, at=(2, 5, 10, 20)) -> tuple[MemoryShelf, tuple]:
    """The checkpoints of a run at its first step, at some others and at its last one."""
    shelf = MemoryShelf()
    for n in at:
        for item in train(experiment.but(budget=Budget(epochs=None, steps=n))):
            if isinstance(item, Artifact):
                shelf.put("run", item)
            assert not isinstance(item, Failed)
    refs = {ref.name: ref for ref in shelf.references("run")}
    return shelf, tuple(refs.values())


def result(job, shelf) -> SharedPlane:
    (data,) = [item.data for item in run_inline(job, SETTINGS, shelf=shelf, run="lens") if isinstance(item, Artifact)]
    return load_result(SharedPlane, data)


def test_a_race_gives_the_ways_of_all_lanes_from_one_start():
    race = spiral(lanes=LANES, repeats=2)
    shelf, refs = kept(race)
    job = SharedPlaneJob(experiment=race, checkpoints=refs, repeat=1, side=5)
    assert parse_job(job.model_dump_json()) == job
    found = result(job, shelf)
    assert found.labels == tuple(lane.label for lane in LANES)
    for steps in found.steps:
        assert {0, 2, 5, 10, 20} <= set(steps.tolist())
    np.testing.assert_allclose(found.paths[0][0], found.paths[1][0], atol=1e-9)
    assert found.path_losses[0][0] == found.path_losses[1][0]
    assert found.path_losses[1][-1] < found.path_losses[1][0]
    assert 0.5 < found.explained.sum() <= 1
    assert found.loss.shape == (5, 5)
    assert np.isfinite(found.loss).all()
    again = load_result(SharedPlane, result_bytes(found))
    assert np.array_equal(again.paths[1], found.paths[1])


def test_on_a_linear_model_the_plane_is_convex():
    data = Diabetes(preparation=Preparation(scaling="standardise"))
    race = spiral(data=data, model=stack(linear(1)), loss=MeanSquaredError(), lanes=LANES)
    shelf, refs = kept(race)
    found = result(SharedPlaneJob(experiment=race, checkpoints=refs, side=7), shelf)
    for lines in (found.loss, found.loss.T):
        assert (np.diff(lines, 2, axis=1) > -1e-9).all()
    assert not found.is_recomputed


def test_a_repeat_that_is_not_there_is_refused():
    _, refs = kept(spiral(lanes=LANES), at=(1, 2))
    with pytest.raises(SpecError):
        SharedPlaneJob(experiment=spiral(lanes=LANES), checkpoints=refs, repeat=1).check(SETTINGS)


def test_a_lane_that_joins_later_has_a_shorter_way():
    shelf, refs = kept(spiral(lanes=LANES), at=(2, 5))
    longer = spiral(lanes=(*LANES, *LANES[:1]))
    _, more = kept(longer, at=())
    assert more == ()
    found = result(SharedPlaneJob(experiment=longer, checkpoints=refs, side=3), shelf)
    assert found.lanes == (0, 1)


def test_checkpoints_without_a_move_say_so():
    shelf, refs = kept(spiral(lanes=LANES), at=(1,))
    job = SharedPlaneJob(experiment=spiral(lanes=LANES), checkpoints=(refs[0],) * 3)
    events = [item.event for item in run_inline(job, SETTINGS, shelf=shelf) if not isinstance(item, Artifact)]
    assert "fewer than three" in events[-1].message


def test_thinning_keeps_the_first_and_the_last():
    refs = tuple(range(100))
    assert thinned(refs, 5) == (0, 25, 50, 74, 99)
    assert thinned(refs[:4], 5) == refs[:4]
