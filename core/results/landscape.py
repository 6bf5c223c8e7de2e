"""The loss around the weights of one moment: along a line, and over a plane."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

LineKind = Literal["random", "from_start"]


@dataclass(frozen=True, slots=True)
class LossLine:
    """Loss and score at n places of a line through the weights of one moment. Arrays are float64, (n,).

    `kind` "random": along a filter-normalised random direction; the moment is at 0, and 1 is one norm of each filter away.
    "from_start": on the straight line from the initial weights (0) to those of the moment (1), and beyond both.
    """

    kind: LineKind
    at: np.ndarray
    train_loss: np.ndarray
    """NaN or infinite where it is not finite, as all losses here."""
    validation_loss: np.ndarray
    train_score: np.ndarray
    """Accuracy in [0, 1], or R² for regression; NaN where there is none."""
    validation_score: np.ndarray
    is_classification: bool
    step: int
    """After which the weights were taken."""
    seed: int
    """Of the random direction."""
    length: float
    """L2 distance of the weights at 0 and at 1."""
    n_train: int
    """Examples over which each loss is the mean."""
    n_validation: int
    n_parameters: int
    n_moved: int
    """Weights that differ along the line."""
    unit: str
    """Of the loss."""
    is_recomputed: bool
    """Batch normalisation took mean and variance from these examples, at every place anew."""


@dataclass(frozen=True, slots=True)
class LossSurface:
    """The loss over a plane through the weights of one moment (0, 0), along two filter-normalised random directions.

    One along an axis moves every filter by its own norm. Arrays are float64.
    """

    axis: np.ndarray
    """(side,): places along both directions, in norms of each filter; the middle one is 0."""
    loss: np.ndarray
    """(side, side): row i at axis[i] along direction 2, column j at axis[j] along direction 1."""
    score: np.ndarray
    """(side, side): accuracy in [0, 1], or R² for regression; NaN where there is none."""
    ring: np.ndarray
    """(R,): the loss at places evenly spread on the circle of `radius`."""
    radius: float
    is_classification: bool
    step: int
    seed: int
    split: Literal["train", "validation"]
    n_examples: int
    n_parameters: int
    n_filters: int
    """That are moved."""
    angle: float
    """Between the two directions, in degrees."""
    lengths: tuple[float, float]
    """L2 lengths of the directions."""
    unit: str
    is_recomputed: bool

    @property
    def centre_loss(self) -> float:
        """Of the weights themselves."""
        middle = len(self.axis) // 2
        return float(self.loss[middle, middle])

    @property
    def centre_score(self) -> float:
        middle = len(self.axis) // 2
        return float(self.score[middle, middle])

    @property
    def rise(self) -> float:
        """How much higher the loss is on the ring than in the middle, on average: the sharpness at this radius."""
        return float(self.ring.mean()) - self.centre_loss
