"""The ways of several optimizers over one surface."""

import csv
import io
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SurfacePaths:
    """Paths of L lanes from one start, S steps each. Arrays are float64; NaN after a lane's last step.

    Step k goes from `positions[:, k]` to `positions[:, k + 1]`.
    """

    labels: tuple[str, ...]
    start: tuple[float, float]
    positions: np.ndarray
    """(L, S + 1, 2)."""
    values: np.ndarray
    """(L, S + 1): the loss there, without noise."""
    gradients: np.ndarray
    """(L, S, 2): what the optimizer was given at the beginning of step k, noise in it, penalties and clipping not."""
    momenta: np.ndarray
    """(L, S, 2): the running mean or sum of gradients that step k was made with; NaN where the optimizer keeps none."""
    rates: np.ndarray
    """(L, S): the learning rate of step k."""
    n_evaluations: np.ndarray
    """(L,) int64: how often the gradient was asked for."""
    n_done: np.ndarray
    """(L,) int64: steps done; less than S for a lane that left the surface."""
    notes: tuple[str, ...]
    """What there is to say of each lane, in a sentence; "" for nothing."""

    @property
    def n_steps(self) -> int:
        """S."""
        return int(self.rates.shape[1])

    @property
    def steps(self) -> np.ndarray:
        """(L, S, 2): what step k added to the position."""
        return np.diff(self.positions, axis=1)


COLUMNS = ("lane", "step", "x", "y", "loss", "gradient_x", "gradient_y", "momentum_x", "momentum_y", "learning_rate")


def path_table(paths: SurfacePaths) -> str:
    """All paths as CSV text, in full precision: a row per lane and step done; empty where there is no such number."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for lane, label in enumerate(paths.labels):
        for k in range(int(paths.n_done[lane]) + 1):
            place = (*paths.positions[lane, k], paths.values[lane, k])
            made = (np.nan,) * 5
            if k < paths.n_done[lane]:
                made = (*paths.gradients[lane, k], *paths.momenta[lane, k], paths.rates[lane, k])
            rows.writerow([label, k, *("" if np.isnan(one) else repr(float(one)) for one in (*place, *made))])
    return out.getvalue()
