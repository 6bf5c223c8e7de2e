"""Points in the plane with two classes, as TensorFlow Playground defines them. Numpy only: a preview is drawn from it.

In circle and xor the noise moves the point that the label is read from, not the point that is drawn (wrong labels near
the border); in gauss and spiral it moves the points.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, DatasetChoice, Splits, unprepared
from core.data.split import cut, split_sizes
from core.seeds import numpy_stream

RADIUS = 5.0
SPAN = 6.0
"""Half-width of the window that Playground draws; no data set but gauss ever leaves it."""


class Toy(DatasetChoice):
    """Two classes in the plane."""

    source: ClassVar[str] = "Smilkov et al. 2017, Direct-Manipulation Visualization of Deep Networks"

    train_share: float = Field(0.5, ge=0.1, le=0.9, multiple_of=0.05)
    """Share of the points to learn from."""
    validation_share: float = Field(0.25, ge=0.05, le=0.45, multiple_of=0.05, validate_default=True)
    """Share of the points to check on after each epoch."""
    n_points: int = Field(500, ge=20, le=5000, title="points")
    """Number of points of both classes together."""
    noise: float = Field(0.0, ge=0.0, le=0.5)
    """0 for clean data, 0.5 for the most noise."""

    def points(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """All points (N, 2) float32 and their classes (N,) int64, before the split."""
        xy, is_positive = self._draw(numpy_stream(seed, "data"))
        return xy.astype(np.float32), is_positive.astype(np.int64)

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) float64 and whether each is of class 1."""
        raise TypeError(f"{type(self).__name__} must draw its points")

    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        """0, 1, 2, ... for class 1 and again for class 0; of an odd number class 1 has one more."""
        return np.arange((self.n_points + 1) // 2), np.arange(self.n_points // 2)

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        sizes = split_sizes(self.n_points, self.train_share, self.validation_share)
        return DataProfile("points", (2,), ("class 0", "class 1"), *sizes, feature_names=("x1", "x2"))

    def original(self, seed: int) -> Splits:
        """The points, split; the model sees raw coordinates."""
        profile = self.original_profile()
        return unprepared(profile, cut(*self.points(seed), (profile.n_train, profile.n_validation, profile.n_test), seed))


class Circle(Toy):
    """A disc of class 1 inside a ring of class 0."""

    kind: Literal["circle"] = "circle"
    label: ClassVar[str] = "Circle"

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        inner, outer = self._halves()
        r = np.concatenate([rng.uniform(0, RADIUS * 0.5, len(inner)), rng.uniform(RADIUS * 0.7, RADIUS, len(outer))])
        angle = rng.uniform(0, 2 * np.pi, self.n_points)
        xy = np.stack([r * np.sin(angle), r * np.cos(angle)], axis=1)
        moved = xy + rng.uniform(-RADIUS, RADIUS, xy.shape) * self.noise
        return xy, np.hypot(moved[:, 0], moved[:, 1]) < RADIUS * 0.5


class Xor(Toy):
    """Four squares; class 1 where both coordinates have the same sign."""

    kind: Literal["xor"] = "xor"
    label: ClassVar[str] = "Exclusive or"

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        xy = rng.uniform(-RADIUS, RADIUS, (self.n_points, 2))
        xy += np.where(xy > 0, 0.3, -0.3)  # a gap between the squares
        moved = xy + rng.uniform(-RADIUS, RADIUS, xy.shape) * self.noise
        return xy, moved[:, 0] * moved[:, 1] >= 0


class Gauss(Toy):
    """Two round clouds around (2, 2) and (-2, -2); the noise sets their variance, from 0.5 to 4."""

    kind: Literal["gauss"] = "gauss"
    label: ClassVar[str] = "Gaussian clouds"

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        positive, negative = self._halves()
        centres = np.repeat([2.0, -2.0], [len(positive), len(negative)])
        variance = 0.5 + self.noise * (4 - 0.5) / 0.5
        return centres[:, None] + np.sqrt(variance) * rng.standard_normal((self.n_points, 2)), centres > 0


class Spiral(Toy):
    """Two arms of 1.75 turns each, wound into each other."""

    kind: Literal["spiral"] = "spiral"
    label: ClassVar[str] = "Spiral"

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        positive, negative = self._halves()
        along = np.concatenate([positive, negative]) / (self.n_points / 2)  # in [0, 1)
        is_positive = np.arange(self.n_points) < len(positive)
        r, t = RADIUS * along, 1.75 * along * 2 * np.pi + np.where(is_positive, 0.0, np.pi)
        xy = np.stack([r * np.sin(t), r * np.cos(t)], axis=1)
        return xy + rng.uniform(-1, 1, xy.shape) * self.noise, is_positive
