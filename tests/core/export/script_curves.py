"""Real runs and exported scripts of the same experiments, for tests that hold one to the other."""

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from core.events import Event
from core.experiment.experiment import Experiment
from core.export.script import script_files
from core.history import History
from core.settings import Settings
from core.training.loop import train

RUNNER = Path(__file__).parent / "script_runner.py"
ENVIRONMENT = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HOME": "/nonexistent"}


@dataclass
class Case:
    """An experiment, one of its series, and the initial weights where they come from a file."""

    name: str
    experiment: Experiment
    series: int = 0
    start: dict[str, np.ndarray] | None = None
    last_step: int | None = None


@cache
def run_curves(experiment: Experiment, *, one_by_one: bool = True, origin: bytes | None = None) -> list[np.ndarray]:
    """The stored losses of every series, as the page shows them."""
    history = History()
    for item in train(experiment, settings=Settings(one_by_one=one_by_one), origin=origin):
        if isinstance(item, Event):
            history.append(item)
    return [np.array(losses) for losses in history.losses]


def script_curves(cases: list[Case], folder: Path, timeout: float = 300) -> dict[str, np.ndarray]:
    """The losses that each case's script writes, all executed in one fresh process."""
    folders = []
    for case in cases:
        place = folder / case.name
        place.mkdir(parents=True)
        splits = case.experiment.data.splits(case.experiment.seed)
        for name, content in script_files(case.experiment, splits, case.start, case.series, case.last_step).items():
            (place / name).write_bytes(content)
        folders.append(str(place))
    command = [sys.executable, "-I", str(RUNNER), *folders]
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=timeout, cwd=folder)  # -I: nothing of ours can be imported
    return {case.name: read_curve(folder / case.name) for case in cases}


def read_curve(place: Path) -> np.ndarray:
    """curve.csv of a folder; fails with what the script said."""
    error = place / "error.txt"
    assert not error.exists(), error.read_text() + (place / "train.py").read_text()
    with (place / "curve.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "loss"]
    assert [int(step) for step, _ in rows[1:]] == list(range(1, len(rows)))
    return np.array([float(loss) for _, loss in rows[1:]])
