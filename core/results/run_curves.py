"""Curves of several runs over each other, to take along."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RunCurves:
    """`x[i]` and `y[i]` (n_i,) float64 are the points of run `runs[i]`, which is called `names[i]`."""

    runs: tuple[str, ...]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    """What each is coloured by; empty where every run has a colour of its own."""
    x_name: str
    y_name: str
    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]
