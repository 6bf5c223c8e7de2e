"""Points in the plane to classify, or to give a number: as TensorFlow Playground defines them, and two more.

In circle, xor, checkerboard and the regressions the noise moves the point that the label is read from, not the point that is
drawn (wrong labels near the border); in gauss, spiral and moons it moves the points. Numpy only: a preview is drawn from it.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.plane import SPAN, Plane
from core.seeds import numpy_stream

RADIUS = 5.0
MOONS_CENTRE = np.array([0.5, 0.25])
MOONS_ZOOM = 3.0
"""Makes the moons of scikit-learn, which are 3 wide, 9 wide."""
HILLS = np.array([(-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1)])
"""Centres x, y, and 1 for a hill, -1 for a hollow."""


class Toy(Plane):
    """Points that are drawn by a formula."""

    source: ClassVar[str] = "Smilkov et al. 2017, Direct-Manipulation Visualization of Deep Networks"

    n_points: int = Field(500, ge=20, le=5000, title="points")
    """Number of points, of all classes together."""
    noise: float = Field(0.0, ge=0.0, le=0.5)
    """0 for clean data, 0.5 for the most noise."""

    def how_many(self) -> int:
        """The number of points."""
        return self.n_points

    def points(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """All points (N, 2) float32 before the split, and their classes (N,) int64 or targets (N,) float32."""
        xy, y = self._draw(numpy_stream(seed, "data"))
        return xy.astype(np.float32), y.astype(np.int64 if self.class_names else np.float32)

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) float64, and whether each is of class 1, or its target."""
        raise TypeError(f"{type(self).__name__} must draw its points")

    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        """0, 1, 2, ... for class 1 and again for class 0; of an odd number class 1 has one more."""
        return np.arange((self.n_points + 1) // 2), np.arange(self.n_points // 2)


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


class Moons(Toy):
    """Two half moons, the one reaching into the other."""

    kind: Literal["moons"] = "moons"
    label: ClassVar[str] = "Moons"
    source: ClassVar[str] = "Pedregosa et al. 2011, Scikit-learn: Machine Learning in Python (make_moons)"

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = (np.linspace(0, np.pi, len(half)) for half in self._halves())  # class 1, class 0
        above = np.stack([np.cos(upper), np.sin(upper)], axis=1)
        below = np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1)
        xy = np.concatenate([above, below])
        xy += rng.standard_normal(xy.shape) * self.noise
        is_below = np.arange(len(xy)) >= len(above)
        return (xy - MOONS_CENTRE) * MOONS_ZOOM, is_below


class Checkerboard(Toy):
    """Squares of both classes in turn: the more of them, the harder."""

    kind: Literal["checkerboard"] = "checkerboard"
    label: ClassVar[str] = "Checkerboard"
    source: ClassVar[str] = ""

    squares: int = Field(4, ge=2, le=8)
    """Squares along each side."""

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        side = 2 * RADIUS / self.squares
        xy = rng.uniform(-RADIUS, RADIUS, (self.n_points, 2))
        moved = xy + rng.uniform(-side, side, xy.shape) * self.noise
        return xy, np.floor((moved + RADIUS) / side).sum(axis=1) % 2 == 1


class PlaneRegression(Toy):
    """A number that rises evenly from the lower left to the upper right: the sum of both coordinates, divided by 10."""

    kind: Literal["plane"] = "plane"
    label: ClassVar[str] = "Plane (regression)"
    class_names: ClassVar[tuple[str, ...]] = ()
    target_name: ClassVar[str] = "height"

    n_points: int = Field(1200, ge=20, le=5000, title="points")
    """Number of points."""

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        xy = rng.uniform(-SPAN, SPAN, (self.n_points, 2))
        moved = xy + rng.uniform(-SPAN, SPAN, xy.shape) * self.noise
        return xy, moved.sum(axis=1) / 10


class GaussRegression(Toy):
    """Three hills and three hollows: a number that is 0 wherever no centre is nearer than 2."""

    kind: Literal["reg_gauss"] = "reg_gauss"
    label: ClassVar[str] = "Hills and hollows (regression)"
    class_names: ClassVar[tuple[str, ...]] = ()
    target_name: ClassVar[str] = "height"

    n_points: int = Field(1200, ge=20, le=5000, title="points")
    """Number of points."""
    noise: float = Field(0.0, ge=0.0, le=0.2)
    """0 for clean data; with more than 0.2 there is nothing left to learn."""

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        xy = rng.uniform(-SPAN, SPAN, (self.n_points, 2))
        moved = xy + rng.uniform(-SPAN, SPAN, xy.shape) * self.noise
        away = np.hypot(moved[:, :1] - HILLS[:, 0], moved[:, 1:] - HILLS[:, 1])  # (N, 6)
        heights = HILLS[:, 2] * np.clip(1 - away / 2, 0, 1)
        highest = np.abs(heights).argmax(axis=1)
        return xy, np.take_along_axis(heights, highest[:, None], axis=1)[:, 0]
