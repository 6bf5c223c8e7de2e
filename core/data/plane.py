"""What all data sets of points in the plane share: the points, and the features of them that a model sees."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core.data.dataset import DataProfile, DatasetChoice, Split, Splits, unprepared
from core.data.split import cut, split_sizes

Feature = Literal["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"]
FEATURE_LABELS: dict[Feature, str] = {
    "x1": "x1",
    "x2": "x2",
    "x1_squared": "x1²",
    "x2_squared": "x2²",
    "x1_x2": "x1·x2",
    "sin_x1": "sin x1",
    "sin_x2": "sin x2",
}
"""All features in the order in which a model gets them, as a screen shows them."""
SPAN = 6.0
"""Half-width of the window that TensorFlow Playground draws."""


@dataclass(frozen=True, slots=True)
class PlanePoints:
    """The points of training and validation split, one after the other, to draw. `points` (N, 2) float32 are where they lie,
    `y` (N,) their classes int64 or targets float32, `is_validation` (N,) bool."""

    points: np.ndarray
    y: np.ndarray
    is_validation: np.ndarray


class Plane(DatasetChoice):
    """Points in the plane."""

    train_share: float = Field(0.5, ge=0.1, le=0.9, multiple_of=0.05)
    """Share of the points to learn from."""
    validation_share: float = Field(0.25, ge=0.05, le=0.45, multiple_of=0.05, validate_default=True)
    """Share of the points to check on after each epoch."""
    features: tuple[Feature, ...] = Field(("x1", "x2"), min_length=1, max_length=len(FEATURE_LABELS))
    """What the model is told of each point. With the right features a model needs no hidden layer."""

    choice_labels: ClassVar[dict[str, str]] = {str(name): label for name, label in FEATURE_LABELS.items()}
    class_names: ClassVar[tuple[str, ...]] = ("class 0", "class 1")
    """Empty for regression."""
    target_name: ClassVar[str] = ""

    @field_validator("features")
    @classmethod
    def _each_once_in_order(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """The order of ticking does not matter: equal inputs make equal specs."""
        if len(set(features)) < len(features):
            twice = next(name for name in features if features.count(name) > 1)
            raise PydanticCustomError("repeated_feature", "{name} is there twice", {"name": twice})
        return tuple(name for name in FEATURE_LABELS if name in features)

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The data set's own numbers first, then the features, then the shares."""
        knobs = super().knobs()
        later = ("features", "train_share", "validation_share")
        return {name: info for name, info in knobs.items() if name not in later} | {name: knobs[name] for name in later}

    def points(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """All points (N, 2) float32 before the split, and their classes (N,) int64 or targets (N,) float32."""
        raise TypeError(f"{type(self).__name__} must give its points")

    def how_many(self) -> int:
        """The number of points."""
        raise TypeError(f"{type(self).__name__} must count its points")

    def features_of(self, points: np.ndarray) -> np.ndarray:
        """The features (M, F) float32 of any points (M, 2): what `original` holds for them."""
        x1, x2 = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
        columns = {
            "x1": x1,
            "x2": x2,
            "x1_squared": x1 * x1,
            "x2_squared": x2 * x2,
            "x1_x2": x1 * x2,
            "sin_x1": np.sin(x1),
            "sin_x2": np.sin(x2),
        }
        return np.stack([columns[name] for name in self.features], axis=1).astype(np.float32)

    def plane(self, seed: int) -> PlanePoints:
        """The points of training and validation where they lie, whatever the model is told of them."""
        train, validation, _ = self._parts(seed)
        return PlanePoints(
            np.concatenate([train.x, validation.x]),
            np.concatenate([train.y, validation.y]),
            np.arange(len(train) + len(validation)) >= len(train),
        )

    def place(self, seed: int, split: int, index: int) -> np.ndarray:
        """Where one point lies, (2,) float32; `split` is 0 for train, 1 for validation, 2 for test."""
        found: np.ndarray = self.places(seed, split)[index]
        return found

    def places(self, seed: int, split: int) -> np.ndarray:
        """Where all points of a split lie, (N, 2) float32."""
        found: np.ndarray = self._parts(seed)[split].x.astype(np.float32)
        return found

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile(
            "points",
            (len(self.features),),
            self.class_names,
            *split_sizes(self.how_many(), self.train_share, self.validation_share),
            feature_names=tuple(FEATURE_LABELS[name] for name in self.features),
            task="classification" if self.class_names else "regression",
            target_name=self.target_name,
        )

    def original(self, seed: int) -> Splits:
        """The features of the points, split."""
        parts = [Split(self.features_of(part.x), part.y) for part in self._parts(seed)]
        return unprepared(self.original_profile(), parts)

    def _parts(self, seed: int) -> list[Split]:
        """The points themselves, split."""
        sizes = split_sizes(self.how_many(), self.train_share, self.validation_share)
        return cut(*self.points(seed), sizes, seed)
