"""Points that someone put on the plane by hand."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.fields import FieldInfo

from core.data.dataset import Splits
from core.data.plane import Plane
from core.data.split import split_sizes
from core.errors import SpecError

MAX_DRAWN = 400
"""As many as still fit into a link."""
LEAST_DRAWN = 8
LEAST_OF_A_CLASS = 2

Hundredths = Annotated[int, Field(ge=-600, le=600)]
Point = tuple[Hundredths, Hundredths, Annotated[int, Field(ge=0, le=1)]]


def _wave() -> tuple[Point, ...]:
    """Two rows of 12 points along a wave, class 1 above it."""
    places = [(-550 + 100 * i, round(200 * math.sin((-5.5 + i) / 1.75))) for i in range(12)]
    return tuple((x, y + side, int(side > 0)) for x, y in places for side in (120, -120))


class DrawnPoints(Plane):
    """Your own points: draw them on the plane, of two classes."""

    kind: Literal["drawn"] = "drawn"
    label: ClassVar[str] = "Draw your own points"

    drawn: Annotated[tuple[Point, ...], Field(max_length=MAX_DRAWN)] = _wave()
    """Each point as x and y in hundredths, from -600 to 600, and its class, 0 or 1."""

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """All but the points, which no form can show: they are drawn."""
        return {name: info for name, info in super().knobs().items() if name != "drawn"}

    def how_many(self) -> int:
        """The number of places with a point: one that is drawn over another takes its place."""
        return len(self._by_place())

    def points(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The points (N, 2) float32 in the order in which they were drawn, and their classes (N,) int64."""
        drawn = np.array([(x, y, label) for (x, y), label in self._by_place().items()], np.int64).reshape(-1, 3)
        return (drawn[:, :2] / 100).astype(np.float32), drawn[:, 2]

    def reason_against(self) -> str | None:
        """Why these points cannot be learned from yet, in a sentence; None when they can."""
        labels = list(self._by_place().values())
        if len(labels) < LEAST_DRAWN:
            return f"There are {len(labels)} points, and training needs at least {LEAST_DRAWN}."
        for label, name in enumerate(self.class_names):
            if labels.count(label) < LEAST_OF_A_CLASS:
                return f"There are {labels.count(label)} points of {name}, and training needs at least {LEAST_OF_A_CLASS}."
        sizes = split_sizes(len(labels), self.train_share, self.validation_share)
        for name, size in zip(("training", "validation", "test"), sizes, strict=True):
            if size == 0:
                return f"With these shares none of the {len(labels)} points is left for the {name} split."
        return None

    def original(self, seed: int) -> Splits:
        """The points, split.

        Raises:
            SpecError: there are too few; the message counts them.
        """
        if reason := self.reason_against():
            raise SpecError(reason, hint="Draw more points, or change the shares.", n=self.how_many())
        return super().original(seed)

    def _by_place(self) -> dict[tuple[int, int], int]:
        """The class at each place; of two points at one place the later one counts, so that none is in two splits."""
        return {(x, y): label for x, y, label in self.drawn}
