"""What a learning-rate range test found."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RangeTest:
    """Batch losses while the learning rate grew from step to step. Rates and losses are (n,) float64; losses are finite.

    NaN stands for what was not found, or does not apply.
    """

    lane: str
    """The lane without its rate, in words."""
    rates: np.ndarray
    losses: np.ndarray
    """Of the batch before the step with this rate, in the unit of the loss."""
    smoothed: np.ndarray
    """Running mean of the losses, corrected for its start."""
    suggestion: float
    """The rate at which the loss falls most steeply."""
    lowest: float
    """The rate at which the smoothed loss is lowest: a rate to stay below."""
    diverged_at: float
    """The rate at which the smoothed loss was several times its lowest, or infinite, and the test was ended."""
    sharpness: float
    """Largest eigenvalue of the Hessian of the training loss at the initial weights."""
    n_examples: int
    """Training examples in that loss."""
    limit: float
    """Rate above which the optimizer, at that curvature, moves away from a minimum; NaN for adaptive optimizers."""
    loss_unit: str
