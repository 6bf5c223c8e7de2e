"""The ways of several lanes over the loss of their model, in one plane."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SharedPlane:
    """The loss over a plane through the weights of L lanes, and their ways projected onto it. Arrays are float64.

    The plane goes through the mean of all checkpoints, along the two directions in which these differ most (their first two
    principal components). Coordinates are distances between weights (L2) along the two directions.
    """

    x: np.ndarray
    """(side,): places along the first direction."""
    y: np.ndarray
    """(side,): along the second."""
    loss: np.ndarray
    """(side, side): row i at y[i], column j at x[j]; NaN or infinite where it is not finite."""
    explained: np.ndarray
    """(2,): share of the variance of all checkpoints that each direction explains, in [0, 1]."""
    labels: tuple[str, ...]
    """One per lane."""
    lanes: tuple[int, ...]
    """Numbers of the lanes."""
    paths: tuple[np.ndarray, ...]
    """Per lane (K, 2): its checkpoints projected onto the plane, in order of steps."""
    steps: tuple[np.ndarray, ...]
    """Per lane (K,) int64."""
    path_losses: tuple[np.ndarray, ...]
    """Per lane (K,): the loss at the checkpoints themselves, which lie a little off the plane."""
    distances: tuple[np.ndarray, ...]
    """Per lane (K,): how far off, L2."""
    n_examples: int
    """Training examples over which each loss is the mean."""
    n_parameters: int
    unit: str
    """Of the loss."""
    is_recomputed: bool
    """Batch normalisation took mean and variance from these examples, at every place anew."""
