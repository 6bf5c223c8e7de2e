"""A run as a stand-alone training script, and what the script gave when it was run."""

from dataclasses import dataclass

import numpy as np

CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Script:
    """A training script in plain PyTorch that needs nothing of ours."""

    text: str
    """train.py."""
    notebook: str
    """train.ipynb: the same as cells."""
    requirements: str
    """requirements.txt: what must be installed."""
    exactness: str
    """How near its losses come to those of the run, in a sentence."""
    is_exact: bool
    """On the machine of the run, bit for bit."""
    needs_start: bool
    """It begins from weights in a file, start.npz."""


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
    alone: np.ndarray
    """(steps,) float64: the losses of the same experiment, trained by Layerwise one network at a time; empty where the run was
    trained so."""


@dataclass(frozen=True, slots=True)
class CurveComparison:
    """The stored curve of a run beside that of its script, as far as both go."""

    n_run: int
    """Losses that the run has."""
    n_script: int
    n_equal: int
    """Losses from the first on that are equal bit for bit."""
    n_close: int
    """Losses from the first on that differ by at most 1e-6 of themselves (of 1, where they are smaller)."""
    largest: float
    """The largest difference, relative in the same way; infinite where one of the two is finite and the other is not."""
    largest_at: int
    """Its step; 0 where there is none."""

    @property
    def is_exact(self) -> bool:
        """Every loss of the run, bit for bit."""
        return self.n_run == self.n_script == self.n_equal


def compared(run: np.ndarray, script: np.ndarray) -> CurveComparison:
    """Two curves of losses (steps,). What a run has after its lane was removed or its loss was not finite does not count."""
    ended = np.flatnonzero(~np.isfinite(run))
    if len(ended):
        run = run[: max(ended[0], min(ended[0] + 1, len(script)))]
    n = min(len(run), len(script))
    a, b = run[:n].astype(np.float64), script[:n].astype(np.float64)
    is_equal = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        off = np.where(is_equal, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(a)))
    off = np.where(np.isnan(off), np.inf, off)
    largest_at = int(off.argmax()) + 1 if n and off.max() > 0 else 0
    return CurveComparison(
        n_run=len(run),
        n_script=len(script),
        n_equal=_first(~is_equal),
        n_close=_first(off > CLOSE),
        largest=float(off.max()) if n else 0.0,
        largest_at=largest_at,
    )


def _first(is_so: np.ndarray) -> int:
    """How many are not so, from the first on."""
    found = np.flatnonzero(is_so)
    return int(found[0]) if len(found) else len(is_so)
