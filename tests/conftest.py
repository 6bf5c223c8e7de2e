"""What every test may use: quiet threads, a private home, and the folder with real MNIST where there is one."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("random")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
"""A test that passed passes again; HYPOTHESIS_PROFILE=random looks for examples that nobody has seen."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own."""
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def mnist_folder() -> Path:
    """The folder with real MNIST; skips where there is none."""
    folder = os.environ.get("LAYERWISE_DATA")
    if not folder:
        pytest.skip("LAYERWISE_DATA does not name a folder with MNIST")
    return Path(folder)
