"""A run as a stand-alone training script, and what the script gave when it was run."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Script:
    """A training script in plain PyTorch that needs nothing of ours."""

    text: str
    """train.py."""
    cells: tuple[tuple[str, str], ...]
    """The same as cells of a notebook: ("markdown" or "code", text)."""
    requirements: str
    """requirements.txt: what must be installed."""
    exactness: str
    """How near its losses come to those of the run, in a sentence."""
    is_exact: bool
    """On the machine of the run, bit for bit."""
    needs_start: bool
    """It begins from weights in a file, start.npz."""


@dataclass(frozen=True, slots=True)
class ScriptFiles:
    """All files of a script that lie beside each other, as one zip."""

    archive: np.ndarray
    """(bytes,) uint8."""
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    """Bytes of each before packing."""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """What a script gave in a process of its own."""

    losses: np.ndarray
    """(steps,) float64: the loss of every step, from step 1."""
    seconds: float
    python: str
    """Version."""
    torch: str
    """Version."""
    output: str
    """Its last lines."""
