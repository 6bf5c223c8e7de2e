"""Races over surfaces as a job: its result comes through, and a start beside the surface is refused."""

import numpy as np
import pytest

from core.errors import SpecError
from core.events import Artifact
from core.experiment.lane import Lane
from core.jobs.inline import run_inline
from core.jobs.shipping import AnyJob
from core.jobs.surface_race import SurfaceRaceJob
from core.optim.optimizers import SGD, Adam
from core.optim.surfaces import Rosenbrock, SurfaceTask
from core.results.codec import load_result, result_bytes
from core.results.surface_path import SurfacePaths
from core.settings import Settings
from core.spec import parse_json
from core.training.surface_race import surface_race

LANES = (Lane(optimizer=SGD(lr=0.3)), Lane(optimizer=Adam(lr=0.1), name="A"))
JOB = SurfaceRaceJob(task=SurfaceTask(n_steps=20, rates="own"), lanes=LANES)


def test_the_job_gives_what_the_race_gives(home):
    data = next(item.data for item in run_inline(JOB, Settings.from_environment()) if isinstance(item, Artifact))
    paths, expected = load_result(SurfacePaths, data), surface_race(JOB.task, LANES)
    assert paths.labels == ("SGD, lr 0.3", "A")
    assert paths.notes == expected.notes
    assert paths.notes[0].startswith("Diverged")
    for name in ("positions", "values", "gradients", "momenta", "rates", "n_done", "n_evaluations"):
        np.testing.assert_array_equal(getattr(paths, name), getattr(expected, name))
    assert result_bytes(paths) == data


def test_the_job_travels_as_text_and_equal_ones_have_equal_keys():
    again = parse_json(AnyJob, JOB.model_dump_json())
    assert again == JOB
    assert again.key() == JOB.key()
    assert SurfaceRaceJob(task=JOB.task.but(start=(0.0, 0.0)), lanes=LANES).key() != JOB.key()


def test_a_start_beside_the_surface_is_refused_with_its_bounds(home):
    beside = SurfaceRaceJob(task=SurfaceTask(surface=Rosenbrock(), start=(0.0, 9.0)), lanes=LANES)
    with pytest.raises(SpecError, match="y from -1 to 3"):
        beside.check(Settings.from_environment())
