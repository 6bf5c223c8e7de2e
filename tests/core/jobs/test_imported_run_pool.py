"""A bundle imported on another machine: a real supervisor, a real worker, another data folder."""

from collections.abc import Iterator

import pytest

from core.data.own.keep import store_upload
from core.errors import SpecError
from core.events import Artifact, ArtifactSaved, SetHyper
from core.experiment.experiment import Experiment
from core.experiment.origin import Origin
from core.jobs.bundle_jobs import BundleJob
from core.jobs.imported_run import ImportedRunJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.training import TrainJob
from core.settings import Settings
from core.spec import parse_json
from tests.core.export.recorded_runs import record_run
from tests.core.jobs.real_pool import RealPool, folded
from tests.core.samples import spiral

EXPERIMENT = spiral(steps=60)


@pytest.fixture(scope="module")
def other_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPool]:
    pool = RealPool(tmp_path_factory.mktemp("other") / "home")
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[list, MemoryShelf, bytes]:
    """Log, artifacts and bundle of a run on this machine."""
    settings, shelf = Settings(home=tmp_path_factory.mktemp("here"), checkpoint_s=0.01), MemoryShelf()
    logged = record_run(TrainJob(experiment=EXPERIMENT), settings, shelf, "source", commands=((20, SetHyper(0, "lr", 0.02)),))
    newest = shelf.references("source")[-1]
    job = BundleJob(experiment=EXPERIMENT, weights=newest, run="source", last_seq=logged[-1].seq)
    with pytest.MonkeyPatch.context() as patch:  # ONNX and script are told elsewhere
        for part in ("_onnx", "_script"):
            patch.setattr(BundleJob, part, lambda self, desk, known, trained: {})
        items = list(run_inline(job, settings, shelf=shelf, run="b"))
    return logged, shelf, next(item.data for item in items if isinstance(item, Artifact) and item.name == "bundle.zip")


def test_another_machine_has_the_same_run_and_can_go_on_from_it(other_machine, source):
    logged, shelf, data = source
    settings = Settings(home=other_machine.home)
    job = ImportedRunJob(file=store_upload(data, "b.zip", settings), name="b.zip", experiment=EXPERIMENT)
    record = other_machine.end(job)
    assert (record.state, record.last_step) == ("finished", 60)
    assert other_machine.store.events(record.id, limit=100_000) == tuple(logged)
    kept = other_machine.store.artifacts(record.id)
    saved = [one.event for one in logged if isinstance(one.event, ArtifactSaved)]
    assert [(one.name, one.sha256) for one in kept] == [(one.name, one.sha256) for one in saved]
    for one in kept:
        assert other_machine.client.artifact_bytes(record.id, one.name) == shelf.read("source", one.name, one.sha256)
    assert other_machine.curves(record.id) == folded(one.event for one in logged)
    assert parse_json(ImportedRunJob, record.job).trained() == EXPERIMENT

    newest = kept[-1]
    origin = Origin(run=record.id, name=newest.name, sha256=newest.sha256, step=newest.step)
    fork: Experiment = EXPERIMENT.but(origin=origin)
    assert other_machine.end(TrainJob(experiment=fork)).state == "finished"


def test_a_bundle_that_is_not_here_is_refused_before_it_waits(other_machine):
    job = ImportedRunJob(file="0" * 64, experiment=EXPERIMENT)
    with pytest.raises(SpecError, match="not on this server"):
        other_machine.client.submit(job)
