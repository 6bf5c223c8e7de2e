"""Arrays of a data set, kept in the home folder after the first load.

Loading them again needs no scikit-learn and no torchvision, whose imports take seconds in every new worker, and workers
share the memory of one mapped file.
"""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from core.settings import Settings


def kept_arrays(name: str, load: Callable[[], tuple[np.ndarray, ...]], names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """The arrays that `load` gives, from `<home>/datasets/<name>/<array>.npy` where they were kept before.

    Args:
        names: one file name per array, without its ending.
    """
    folder = Settings.from_environment().home / "datasets" / name
    known = _kept(folder, names)
    if known is not None:
        return known
    with _alone(folder):
        known = _kept(folder, names)  # another process may have made them meanwhile
        if known is not None:
            return known
        arrays = load()
        _keep(folder, dict(zip(names, arrays, strict=True)))
        return arrays


def _kept(folder: Path, names: tuple[str, ...]) -> tuple[np.ndarray, ...] | None:
    """The arrays of the files that are there; None where one is not, or is damaged."""
    try:
        return tuple(np.load(folder / f"{array}.npy", mmap_mode="r", allow_pickle=False) for array in names)
    except (OSError, ValueError):
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time makes what `folder` keeps: thirty runs that begin together would each take seconds over it.

    The lock is the system's: it goes with its process, however that ends. On a disk where no lock can be, everyone makes it.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(folder / ".lock", "a"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_kept(name: str, names: tuple[str, ...], settings: Settings) -> bool:
    """Whether `kept_arrays` would find its files."""
    return all((settings.home / "datasets" / name / f"{array}.npy").is_file() for array in names)


def _keep(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the files whole or not at all; a full or read-only disk costs time at the next load, and nothing else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            for name, array in arrays.items():
                np.save(Path(fresh) / f"{name}.npy", array)
                os.replace(Path(fresh) / f"{name}.npy", folder / f"{name}.npy")
    except OSError:
        return
