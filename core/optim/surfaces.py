"""Analytic surfaces on which optimizers race: two weights, a loss in closed form, minima that are known. Torch-free.

All windows are squares, so that a gradient can be drawn at a right angle to its contour.
"""

import math
from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from core.spec import Choice, Spec, on_menu

Point = tuple[float, float]
TRIED_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Learning rates among which a lane may choose for a surface: those of networks are of little use here."""
Angle = Annotated[float, Field(ge=-90, le=90, title="angle (°)")]


class SurfaceChoice(Choice):
    """A loss of two weights x and y. `value` and `gradient` take floats or arrays of one shape, float64."""

    formula: ClassVar[str]
    """LaTeX."""
    centre: ClassVar[Point] = (0.0, 0.0)
    """Middle of the window that shows what is worth seeing."""
    half: ClassVar[float]
    """Half the side of that window."""
    start: ClassVar[Point]
    """Where a race usually starts."""
    minima: ClassVar[tuple[Point, ...]] = ((0.0, 0.0),)
    """The places of the least value."""
    lowest: ClassVar[float] = 0.0
    """The least value."""

    @abstractmethod
    def value(self, x: Any, y: Any) -> Any:
        """The loss."""

    @abstractmethod
    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Its derivatives by x and by y."""

    def stable_below(self) -> float | None:
        """Plain gradient descent converges with a learning rate below this one and diverges above; None where no single
        number says it."""
        return None

    def holds(self, point: Point) -> bool:
        """Whether a point lies within the window."""
        return all(abs(at - middle) <= self.half for at, middle in zip(point, self.centre, strict=True))


class Rosenbrock(SurfaceChoice):
    """A flat valley bent like a banana: every method finds the valley, few walk along it."""

    kind: Literal["rosenbrock"] = "rosenbrock"
    label = "Rosenbrock"
    source = "Rosenbrock 1960, The Computer Journal 3(3)"
    formula = r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2"
    centre = (0.0, 1.0)
    half = 2.0
    start = (-1.2, 1.0)
    minima = ((1.0, 1.0),)

    def value(self, x: Any, y: Any) -> Any:
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        off = y - x * x
        return -2 * (1 - x) - 400 * x * off, 200 * off


class Beale(SurfaceChoice):
    """A wide flat plain with cliffs at its corners: small gradients in the middle, huge ones at the edge."""

    kind: Literal["beale"] = "beale"
    label = "Beale"
    source = "Beale 1958, On an Iterative Method for Finding a Local Minimum"
    formula = r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2"
    half = 4.5
    start = (1.0, 1.5)
    minima = ((3.0, 0.5),)

    def value(self, x: Any, y: Any) -> Any:
        a, b, c = self._parts(x, y)
        return a * a + b * b + c * c

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        a, b, c = self._parts(x, y)
        y2 = y * y
        by_x = 2 * (a * (y - 1) + b * (y2 - 1) + c * (y2 * y - 1))
        return by_x, 2 * x * (a + 2 * y * b + 3 * y2 * c)

    @staticmethod
    def _parts(x: Any, y: Any) -> tuple[Any, Any, Any]:
        return 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y


def _himmelblau_minima() -> tuple[Point, ...]:
    """The four minima to the last digit: Newton's method from the printed ones."""
    points = []
    for x, y in ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848127)):
        for _ in range(4):
            a, b = x * x + y - 11, x + y * y - 7
            determinant = 4 * x * y - 1  # of the Jacobian [[2x, 1], [1, 2y]]
            x, y = x - (2 * y * a - b) / determinant, y - (2 * x * b - a) / determinant
        points.append((x, y))
    return tuple(points)


class Himmelblau(SurfaceChoice):
    """Four valleys of equal depth around one hill: the start and the method decide which one is found."""

    kind: Literal["himmelblau"] = "himmelblau"
    label = "Himmelblau"
    source = "Himmelblau 1972, Applied Nonlinear Programming"
    formula = r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2"
    half = 6.0
    start = (-0.5, -1.5)
    minima = _himmelblau_minima()

    def value(self, x: Any, y: Any) -> Any:
        return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        a, b = x * x + y - 11, x + y * y - 7
        return 4 * x * a + 2 * b, 2 * a + 4 * y * b


class Saddle(SurfaceChoice):
    """A pass between two hills with a valley on either side: flat in its middle, where a start near the ridge lingers."""

    kind: Literal["saddle"] = "saddle"
    label = "Saddle"
    source = "Nesterov 2004, Introductory Lectures on Convex Optimization, example 1.2.2"
    formula = r"f(x, y) = \tfrac{1}{2}\,x^2 - \tfrac{1}{2}\,y^2 + \tfrac{1}{4}\,y^4"
    half = 2.0
    start = (-1.5, 0.001)
    minima = ((0.0, -1.0), (0.0, 1.0))
    lowest = -0.25

    def value(self, x: Any, y: Any) -> Any:
        return 0.5 * x * x - 0.5 * y * y + 0.25 * y**4

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        return x, y**3 - y


class Turned(SurfaceChoice):
    """A surface that is simple in coordinates u and v: those of the plane, turned by an angle."""

    angle: Angle = 0.0
    """How far the valley is turned from the x axis. Rules that scale each weight by itself work best at 0."""

    def value(self, x: Any, y: Any) -> Any:
        return self._value(*self._turned(x, y))

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        by_u, by_v = self._gradient(*self._turned(x, y))
        cos, sin = self._turn()
        return cos * by_u - sin * by_v, sin * by_u + cos * by_v

    @abstractmethod
    def _value(self, u: Any, v: Any) -> Any:
        """The loss in its own coordinates: u along the valley, v across it."""

    @abstractmethod
    def _gradient(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Derivatives by u and v."""

    def _turn(self) -> tuple[float, float]:
        return math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))

    def _turned(self, x: Any, y: Any) -> tuple[Any, Any]:
        cos, sin = self._turn()
        return cos * x + sin * y, cos * y - sin * x


class Ravine(Turned):
    """A long narrow valley whose walls never get steeper: large steps bounce from wall to wall instead of flying away."""

    kind: Literal["ravine"] = "ravine"
    label = "Ravine"
    source = "Sutton 1986, Two problems with backpropagation and other steepest-descent learning procedures"
    formula = r"f(u, v) = 0.05\,u^2 + \sqrt{1 + (k v)^2} - 1"
    half = 5.0
    start = (-4.0, 1.5)
    steepness: Annotated[float, Field(ge=1, le=50)] = 5.0
    """Slope k of the walls."""

    def _value(self, u: Any, v: Any) -> Any:
        return 0.05 * u * u + np.sqrt(1 + (self.steepness * v) ** 2) - 1

    def _gradient(self, u: Any, v: Any) -> tuple[Any, Any]:
        squared = self.steepness**2
        return 0.1 * u, squared * v / np.sqrt(1 + squared * v * v)


class Rastrigin(SurfaceChoice):
    """A bowl with a hundred dents: a method without momentum or noise stays in the first one."""

    kind: Literal["rastrigin"] = "rastrigin"
    label = "Rastrigin"
    source = "Rastrigin 1974, Systems of Extremal Control"
    formula = r"f(x, y) = 20 + x^2 - 10\cos 2\pi x + y^2 - 10\cos 2\pi y"
    half = 5.12
    start = (-3.4, 2.6)

    def value(self, x: Any, y: Any) -> Any:
        return 20 + x * x - 10 * np.cos(2 * np.pi * x) + y * y - 10 * np.cos(2 * np.pi * y)

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 2 * y + 20 * np.pi * np.sin(2 * np.pi * y)


class Quadratic(Turned):
    """An elliptic bowl: curvature 1 along its valley and the condition number across it."""

    kind: Literal["quadratic"] = "quadratic"
    label = "Quadratic"
    source = "Goh 2017, Why Momentum Really Works, Distill"
    formula = r"f(u, v) = \tfrac{1}{2}\,(u^2 + \kappa v^2)"
    half = 5.0
    start = (-4.0, 3.0)
    condition: Annotated[float, Field(ge=1, le=10_000, title="condition number")] = 10.0
    """Largest over least curvature, κ."""
    angle: Angle = 30.0
    """How far the valley is turned from the x axis. Rules that scale each weight by itself work best at 0."""

    def stable_below(self) -> float:
        """2 over the largest curvature (Goh 2017, first steps)."""
        return 2 / self.condition

    def _value(self, u: Any, v: Any) -> Any:
        return 0.5 * (u * u + self.condition * v * v)

    def _gradient(self, u: Any, v: Any) -> tuple[Any, Any]:
        return u, self.condition * v


AnySurface = Annotated[Rosenbrock | Beale | Himmelblau | Saddle | Ravine | Rastrigin | Quadratic, on_menu()]
"""Every surface, in the order in which the page offers them."""


class SurfaceSettings(Spec):
    """How a race over any surface goes, the same for all lanes."""

    n_steps: Annotated[int, Field(ge=1, le=2000, title="steps")] = 200
    """Optimizer steps of each lane."""
    noise: Annotated[float, Field(ge=0, le=1000, title="gradient noise")] = 0.0
    """Standard deviation of what is added to each component of the gradient, as mini-batches would: the same for all lanes."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Start of the random numbers of the noise."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many epochs the steps stand for: schedules count in epochs."""
    rates: Literal["tuned", "own"] = "tuned"
    """Whether each lane takes the best of TRIED_RATES for this surface, seen from its usual start, or its own rate."""


class SurfaceTask(SurfaceSettings):
    """What all lanes of a race over a surface share."""

    surface: AnySurface = Rosenbrock()
    start: Point = Rosenbrock.start
    """Where every lane starts, within the window of the surface."""

    def usual(self) -> Self:
        """The same task from the usual start of its surface."""
        return self.but(start=self.surface.start)
