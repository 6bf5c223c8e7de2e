"""The exported script, executed in a fresh process, makes the curve of the run: bit for bit where the run was made so."""

import subprocess
import sys

import numpy as np
import pytest

from core.export.script import script_files, training_script
from core.results.script import compared
from tests.core.export.script_cases import at_random, examples, of_the_menus, presets, special
from tests.core.export.script_curves import ENVIRONMENT, read_curve, run_curves, script_curves
from tests.core.samples import spiral

CASES = {case.name: case for case in [*of_the_menus(), *presets(), *examples(), *special(), *at_random(16)]}
STACKED = [name for name, case in CASES.items() if name.startswith(("preset", "example"))]
NEAR = 1e-6


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> dict[str, np.ndarray]:
    return script_curves(list(CASES.values()), tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize("name", CASES)
def test_a_script_gives_every_loss_of_a_run_bit_for_bit(name, scripts):
    case = CASES[name]
    run = run_curves(case.experiment)[case.series]
    found = compared(run, scripts[name])
    assert found.is_exact, found
    assert found.n_run >= 2


@pytest.mark.parametrize("name", STACKED)
def test_a_script_gives_the_losses_of_the_run_as_it_is_stored(name, scripts):
    case = CASES[name]
    stored = run_curves(case.experiment, one_by_one=False)[case.series]
    found = compared(stored, scripts[name])
    if training_script(case.experiment, case.series).is_exact:
        assert found.is_exact, found
    else:
        assert found.largest <= NEAR
    assert found.n_run == found.n_script


def test_a_script_alone_in_a_process_that_has_nothing_of_ours(tmp_path):
    experiment = spiral()
    for name, content in script_files(experiment, experiment.data.splits(experiment.seed)).items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-I", "-W", "error", str(tmp_path / "train.py")]
    done = subprocess.run(command, check=True, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, timeout=120)
    found = compared(run_curves(experiment, one_by_one=False)[0], read_curve(tmp_path))
    assert found.largest <= NEAR
    assert not training_script(experiment).is_exact
    assert (tmp_path / "weights.pt").stat().st_size > 0
    assert "validation loss" in done.stdout
    assert "test loss" in done.stdout
