"""From a run to its script and back: files that fit together, a proof in another process, and a stop that ends it."""

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from core.events import Artifact, Failed, Finished, Progressed, Stop
from core.experiment.experiment import Budget, Lane
from core.experiment.origin import Origin
from core.export.script import training_script
from core.jobs import script_job
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import RESULT
from core.jobs.menu import parse_job
from core.jobs.script_job import ARCHIVE, ScriptFilesJob, ScriptJob, ScriptRunJob
from core.jobs.training import TrainJob
from core.optim.optimizers import ASGD, SGD, Adafactor, Adam, Muon, NAdam, Rprop
from core.optim.regularizers import WeightAverage
from core.optim.schedules import Plateau
from core.results.codec import load_result
from core.results.script import Script, ScriptRun, compared
from core.settings import Settings
from tests.core.export.script_cases import cnn
from tests.core.export.script_curves import run_curves
from tests.core.samples import spiral

SETTINGS = Settings()


def answer(job, wanted, shelf=None):
    shelf = shelf or MemoryShelf()
    events = [item.event for item in run_inline(job, SETTINGS, shelf=shelf) if not isinstance(item, Artifact)]
    assert isinstance(events[-1], Finished), events[-1]
    result = next(iter(shelf.references("inline", "result")))
    return load_result(wanted, shelf.read("inline", RESULT, result.sha256))


def zipped_files(job, shelf) -> zipfile.ZipFile:
    artifacts = {item.name: item.data for item in run_inline(job, SETTINGS, shelf=shelf) if isinstance(item, Artifact)}
    return zipfile.ZipFile(io.BytesIO(artifacts[ARCHIVE]))


def test_the_script_comes_back_from_the_store_as_it_was_written():
    experiment = spiral()
    job = parse_job(ScriptJob(experiment=experiment).model_dump_json())
    assert answer(job, Script) == training_script(experiment)


def test_the_zip_holds_all_files_and_no_other():
    with zipped_files(ScriptFilesJob(experiment=cnn()), MemoryShelf()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["train.py", "train.ipynb", "data.npz", "requirements.txt"]
        assert archive.read("train.py").decode() == training_script(cnn()).text


def test_a_script_that_was_run_gives_the_losses_of_the_run():
    ran = answer(ScriptRunJob(experiment=cnn()), ScriptRun)
    assert compared(run_curves(cnn(), one_by_one=False)[0], ran.losses).is_exact
    assert len(ran.alone) == 0
    assert "validation loss" in ran.output
    assert ran.seconds > 0


def test_of_stacked_networks_training_one_by_one_gives_the_scripts_losses():
    experiment = spiral(steps=30, lanes=(Lane(optimizer=SGD()), *spiral().lanes), repeats=2)
    ran = answer(ScriptRunJob(experiment=experiment, series=3), ScriptRun)
    assert compared(ran.alone, ran.losses).is_exact
    assert compared(run_curves(experiment, one_by_one=False)[3], ran.losses).largest <= 1e-6


def executed(experiment, shelf, folder) -> np.ndarray:
    """The losses of a script with the files of its job, in a namespace of its own."""
    with zipped_files(ScriptFilesJob(experiment=experiment), shelf) as archive:
        archive.extractall(folder)
    names: dict[str, object] = {"__name__": "__main__", "__file__": str(folder / "train.py")}
    with torch.random.fork_rng(devices=[]):
        exec(compile((folder / "train.py").read_text(), "train.py", "exec"), names)
    torch.set_flush_denormal(False)
    return np.array(names["curve"])


def test_a_fork_begins_with_the_weights_of_the_other_run(tmp_path):
    shelf = MemoryShelf()
    list(run_inline(TrainJob(experiment=cnn()), SETTINGS, shelf=shelf, run="before"))
    ref = shelf.references("before")[-1]
    fork = cnn(origin=Origin(run="before", name=ref.name, sha256=ref.sha256, step=12), frozen=(0,))
    losses = executed(fork, shelf, tmp_path)
    assert compared(run_curves(fork, origin=shelf.read("before", ref.name, ref.sha256))[0], losses).is_exact
    assert not compared(run_curves(cnn())[0], losses).n_equal


AVERAGING = {"regularizers": (WeightAverage(decay=0.5),), "schedule": Plateau(patience=0, threshold=0.9, gamma=0.5)}
KEEPERS = (
    (Adam(lr=0.01), AVERAGING),
    *((optimizer, {}) for optimizer in (SGD(momentum=0.9), SGD(), Muon(), Rprop(), NAdam(), ASGD(), Adafactor())),
)


@pytest.mark.parametrize(("optimizer", "lane"), KEEPERS, ids=lambda one: getattr(one, "kind", ""))
def test_a_fork_with_its_optimizers_memory_goes_on_bit_for_bit(optimizer, lane, tmp_path):
    shelf = MemoryShelf()
    before = cnn(optimizer, lane)
    list(run_inline(TrainJob(experiment=before), SETTINGS, shelf=shelf, run="before"))
    ref = shelf.references("before")[-1]
    origin = Origin(run="before", name=ref.name, sha256=ref.sha256, step=12, optimizer_state=True)
    fork = before.but(origin=origin, budget=Budget(epochs=2, patience=1))
    losses = executed(fork, shelf, tmp_path)
    run = run_curves(fork, origin=shelf.read("before", ref.name, ref.sha256))[0]
    assert compared(run, losses).is_exact
    assert not np.array_equal(run[:6], run_curves(before)[0][:6])


def test_a_fork_whose_origin_is_gone_says_so():
    gone = cnn(origin=Origin(run="before", name="x", sha256="0" * 64))
    events = [item.event for item in run_inline(ScriptFilesJob(experiment=gone), SETTINGS)]
    assert isinstance(events[-1], Failed)
    assert "is gone" in events[-1].message


def test_a_stop_ends_the_process_of_the_script(monkeypatch):
    pids = []
    real = script_job.subprocess.Popen

    def noted(*args, **kwargs):
        process = real(*args, **kwargs)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(script_job.subprocess, "Popen", noted)
    job = ScriptRunJob(experiment=cnn(budget=Budget(epochs=100_000)))
    began = time.monotonic()
    events = [item.event for item in run_inline(job, SETTINGS, commands=[(0, Stop())])]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stopped"
    assert time.monotonic() - began < 20
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_script_that_fails_says_its_last_words(monkeypatch):
    monkeypatch.setattr(script_job, "ALONE", "raise SystemExit('no torch here')")
    events = [item.event for item in run_inline(ScriptRunJob(experiment=cnn()), SETTINGS)]
    assert isinstance(events[-1], Failed)
    assert events[-1].message == "The script failed."
    assert "no torch here" in events[-1].hint


def test_a_script_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(script_job, "LIMIT_S", 0)
    events = [item.event for item in run_inline(ScriptRunJob(experiment=cnn()), SETTINGS)]
    assert isinstance(events[-1], Failed)
    assert "longer than" in events[-1].message


def test_progress_counts_the_steps_that_the_script_has_told(monkeypatch):
    monkeypatch.setattr(
        script_job, "ALONE", "import time\nprint('step 7 of 12: loss 1', flush=True)\ntime.sleep(1)\nraise SystemExit(1)"
    )
    events = [item.event for item in run_inline(ScriptRunJob(experiment=cnn()), SETTINGS)]
    assert Progressed(7, 12) in [Progressed(one.done, one.total) for one in events if isinstance(one, Progressed)]


@pytest.mark.parametrize("fields", [{"series": 9}, {"last_step": 3}])
def test_what_is_asked_is_checked_before_it_is_queued(fields):
    job = ScriptRunJob(experiment=cnn(), **fields)
    if "series" in fields:
        with pytest.raises(Exception, match="no lane 9"):
            job.check(SETTINGS)
    else:
        job.check(SETTINGS)
        assert job.n_steps == 3


def test_curves_are_compared_step_by_step():
    run, script = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0000015, 4.4])
    found = compared(run, script)
    assert (found.n_equal, found.n_close, found.largest_at) == (2, 3, 4)
    assert found.largest == pytest.approx(0.1)
    assert compared(run, run).is_exact
    assert not compared(run, run[:2]).is_exact
    diverged = np.array([1.0, np.inf, np.nan, np.nan])
    assert compared(diverged, np.array([1.0, np.inf])).is_exact
    removed = np.array([1.0, 2.0, np.nan, np.nan])
    assert compared(removed, np.array([1.0, 2.0])).is_exact
    assert compared(run, np.array([1.0, np.nan])).largest == np.inf
    assert compared(np.zeros(0), np.zeros(0)).is_exact
