"""The jobs that write a run as a stand-alone training script, and that run it to see whether it makes the same curve."""

import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.errors import SpecError, TrainingError
from core.events import Event, Progressed
from core.export.script import script_files, training_script
from core.export.zips import zipped
from core.history import History
from core.jobs.export_jobs import check_file_size, exported, stated
from core.jobs.job import Desk, Stream
from core.jobs.lenses import WeightsJob, loaded
from core.jobs.long_lens import LongLensJob
from core.jobs.training import origin_bytes
from core.optim.regularizers import average_of
from core.optim.schedules import Clock, clock_of
from core.results.script import Script, ScriptRun
from core.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from core.training.beginnings import Beginnings

ARCHIVE = "training-script.zip"
LIMIT_S = 3600
"""A script that runs longer is ended."""
POLL_S = 0.1
OUTPUT = 4_000
"""Last characters of what a script prints that are kept."""
STEP = re.compile(r"^step ([\d,]+)", re.MULTILINE)
LastStep = Annotated[int, Field(ge=1, le=100_000_000)]
ALONE = """import ctypes, runpy, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # end with the process that waits
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""What the process does that runs a script: nothing of ours is in it."""


class _OfScript(WeightsJob):
    """What the jobs of a script share."""

    last_step: LastStep | None = None
    """Where the run ended, where that cannot be known from the experiment: by the clock, by hand, by what other lanes did."""

    def check(self, settings: Settings) -> None:
        """Refuses what a script cannot say."""
        super().check(settings)
        training_script(self.experiment, self.series, self.last_step)


class ScriptJob(_OfScript):
    """A training script in plain PyTorch, with the very data, initial weights and batches of a run."""

    kind: Literal["script"] = "script"
    label = "Training script"

    def result(self, desk: Desk) -> Script:
        return training_script(self.experiment, self.series, self.last_step)


class ScriptFilesJob(_OfScript):
    """A zip of the script with all files that belong beside it."""

    kind: Literal["script_files"] = "script_files"
    label = "Files of a training script"

    def stream(self, desk: Desk) -> Stream:
        """Progress, the zip, what is said of it, and the end."""
        yield Progressed(0, 1)
        began = time.monotonic()
        files = files_of(self, self.last_step, desk)
        data = zipped(files)
        check_file_size(len(data), desk.settings, "Take the script alone, or raise LAYERWISE_WORKER_FILE_MB.")
        yield from exported(stated("script", ARCHIVE, data, 0, f"It holds {', '.join(files)}."), data, began)


class ScriptRunJob(LongLensJob, _OfScript):
    """The training script, run in a process of its own that has nothing of ours."""

    kind: Literal["script_run"] = "script_run"
    label = "Run of a training script"

    @property
    def n_steps(self) -> int:
        """How many steps the script makes at most; 0 where the clock ends it."""
        experiment = self.experiment
        n_train, budget = experiment.data.profile().n_train, experiment.budget
        clock = clock_of(n_train, experiment.batch(n_train), budget.epochs, budget.steps)
        return self.last_step or clock.total_steps or 0

    def result(self, desk: Desk) -> ScriptRun:
        files = files_of(self, self.last_step, desk)
        with tempfile.TemporaryDirectory(prefix="layerwise-script-") as name:
            folder = Path(name)
            for file, content in files.items():
                (folder / file).write_bytes(content)
            began = time.monotonic()
            output = _executed(folder, self.n_steps, desk)
            seconds = time.monotonic() - began
            losses = np.loadtxt(folder / "curve.csv", delimiter=",", skiprows=1, ndmin=2)[:, 1]
        is_exact = training_script(self.experiment, self.series, self.last_step).is_exact
        alone = np.zeros(0) if is_exact else self.alone(len(losses), desk)
        return ScriptRun(losses, seconds, platform.python_version(), version("torch"), output, alone)

    def alone(self, n_steps: int, desk: Desk) -> np.ndarray:
        """The first losses of the run, trained anew, one network at a time."""
        from core.training.loop import train

        splits = loaded(self.experiment.data, self.experiment.seed)
        settings = desk.settings.model_copy(update={"one_by_one": True})
        history = History()
        origin = origin_bytes(self.experiment, desk)
        with closing(train(self.experiment, splits=splits, origin=origin, settings=settings)) as items:
            for item in items:
                if isinstance(item, Event):
                    history.append(item)
                desk.progress(min(history.step, n_steps), n_steps + 1)
                if history.step >= n_steps and self.series < len(history.losses):
                    break
        return np.array(history.losses[self.series][:n_steps])


def files_of(job: WeightsJob, last_step: int | None, desk: Desk) -> dict[str, bytes]:
    """The files of a job's script."""
    splits = loaded(job.experiment.data, job.experiment.seed)
    start = start_weights(job, desk) if training_script(job.experiment, job.series, last_step).needs_start else None
    return script_files(job.experiment, splits, start, job.series, last_step)


def start_weights(job: WeightsJob, desk: Desk) -> Mapping[str, np.ndarray]:
    """The weights with which the run began, where they come from files.

    Raises:
        SpecError: the checkpoint that it started from is gone.
    """
    import torch

    from core.training.beginnings import Beginnings

    experiment = job.experiment
    origin = origin_bytes(experiment, desk)
    if experiment.origin is not None and origin is None:
        raise SpecError("The checkpoint that this run started from is gone.", hint="Export a run that starts from scratch.")
    beginnings = Beginnings(experiment, experiment.data.profile().input_shape, torch.device("cpu"), origin)
    model = beginnings.model(job.repeat)
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if experiment.origin is not None and experiment.origin.optimizer_state:
        arrays |= _memory(job, beginnings, model)
    return arrays


def _memory(job: WeightsJob, beginnings: "Beginnings", model: "nn.Sequential") -> dict[str, np.ndarray]:
    """What a run that goes on with an optimizer's state begins with besides weights.

    `optimizer.<number of the parameter>.<slot>`; `average.<name>` where weights are averaged; `memory` (6,): best validation
    loss, its epoch, and of a plateau its factor, best loss, bad epochs and cooldown.
    """
    import copy

    from core.training.executors.executor import Series

    experiment = job.experiment
    lane = min(job.series // experiment.repeats, len(experiment.lanes) - 1)
    one = Series(job.series, lane, job.repeat, experiment.lanes[lane], model, Clock(1, None))
    if average_of(one.lane.regularizers) is not None:
        one.average = copy.deepcopy(model)
    state = beginnings.hand_over([one])[job.series]["state"]
    pairs = ((f"optimizer.{index}.{name}", slot) for index, slots in state.items() for name, slot in slots.items())
    arrays = {name: np.asarray(slot) for name, slot in pairs if slot is not None}
    if one.average is not None:
        arrays |= {f"average.{name}": tensor.numpy() for name, tensor in one.average.state_dict().items()}
    memory = [np.inf if number is None else number for number in one.memory.numbers()]
    return arrays | {"memory": np.array(memory, np.float64)}


def _executed(folder: Path, n_steps: int, desk: Desk) -> str:
    """Run train.py to its end; what it printed.

    Raises:
        TrainingError: it failed, or took too long; the hint has its last words.
    """
    printed = folder / "printed.txt"
    with printed.open("w") as out:
        command = [sys.executable, "-I", "-u", "-c", ALONE, "train.py"]
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    try:
        _await(process, printed, n_steps, desk)
    finally:
        process.kill()
        process.wait()
    output = _tail(printed)
    if process.returncode != 0:
        raise TrainingError("The script failed.", hint=output.strip()[-400:] or "It said nothing.")
    return output


def _await(process: "subprocess.Popen[Any]", printed: Path, total: int, desk: Desk) -> None:
    began = time.monotonic()
    while process.poll() is None:
        if time.monotonic() - began > LIMIT_S:
            raise TrainingError(f"The script took longer than {LIMIT_S:,} s.", hint="Run it on your own machine.")
        steps = STEP.findall(_tail(printed))
        done = int(steps[-1].replace(",", "")) if steps else 0
        desk.progress(done, max(total, done + 1))
        time.sleep(POLL_S)


def _tail(path: Path) -> str:
    """The last characters of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - OUTPUT))
        return file.read().decode(errors="replace")
