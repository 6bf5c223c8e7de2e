"""What a data set is: a Choice that knows its profile without loading, and loads deterministically by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core.data.preparation import Preparation
from core.spec import Choice
from core.types import Shape, Task

Modality = Literal["points", "image", "tabular", "sequence"]


@dataclass(frozen=True, slots=True)
class DataProfile:
    """What is known before loading. `input_shape` excludes the batch axis: images are (C, H, W), points and tables (F,),
    sequences (L,) token numbers."""

    modality: Modality
    input_shape: Shape
    class_names: tuple[str, ...]
    """Empty for regression."""
    n_train: int
    n_validation: int
    n_test: int
    feature_names: tuple[str, ...] = ()
    """One per input for points and tables."""
    task: Task = "classification"
    target_name: str = ""
    """Regression: what is predicted, with its unit where it has one."""
    n_tokens: int = 0
    """Sequences: token numbers are 0 to n_tokens - 1; 0 is padding (on the left), 1 an unknown token."""
    categories: tuple[tuple[str, ...], ...] = ()
    """Original tables: the categories of each column in the order of their numbers, () for a column of numbers."""

    @property
    def n_classes(self) -> int:
        """0 for regression."""
        return len(self.class_names)

    def n_in(self, split: str) -> int:
        """Examples of the split "train", "validation" or "test"."""
        return {"train": self.n_train, "validation": self.n_validation, "test": self.n_test}[split]


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of one split. `x` (N, *input_shape): uint8 for images, int64 for sequences, float32 else.

    `y` (N,): int64 classes, or float32 numbers for regression. `evidence`, where it is known which part of an example
    decides its class: (N, H, W) or (N, L) bool.
    """

    x: np.ndarray
    y: np.ndarray
    evidence: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, slots=True)
class Projection:
    """What a PCA does to an example: `(flat - centre) @ directions`, where `flat` (F,) holds its numbers before any scaling.

    `centre` (F,) and `directions` (F, k) float64; the scaling that came before the PCA is part of both.
    """

    centre: np.ndarray
    directions: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Examples (N, *shape) as their components (N, k) float32."""
        flat = x.reshape(len(x), -1).astype(np.float64)
        components: np.ndarray = (flat - self.centre) @ self.directions
        return components.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Splits:
    """A data set, loaded and split. What the model sees is `(x - shift) * scale`, both broadcast to the input shape.

    `shift` and `scale` come from the training split alone (or are fixed). A regression target in its own unit is
    `y * target_scale + target_shift`.
    """

    profile: DataProfile
    train: Split
    validation: Split
    test: Split
    shift: np.ndarray
    scale: np.ndarray
    brightest: int = 255
    """Images: the value of `x` that is shown as white."""
    vocabulary: tuple[str, ...] = ()
    """Sequences: the token of each number."""
    explained_variance: tuple[float, ...] = ()
    """After PCA: the share of the variance that each component explains, in [0, 1], falling."""
    target_shift: float = 0.0
    target_scale: float = 1.0
    original_profile: DataProfile | None = None
    """After a preparation: what the examples were before it."""
    originals: tuple[Split, Split, Split] | None = None
    """After a preparation: train, validation and test as they came, with their true labels; example i is example i."""
    stand_ins: np.ndarray | None = None
    """(F,) float32, tables with gaps: what stands in for a missing value of each original column."""
    projection: Projection | None = None
    """After PCA: how an example becomes its components."""
    notes: tuple[str, ...] = ()
    """What the preparation had to do that nobody asked for, in sentences."""

    def model_input(self, x: np.ndarray) -> np.ndarray:
        """`x` as the model receives it: float32, or int64 token numbers as they are."""
        if self.profile.modality == "sequence":
            return x
        scaled: np.ndarray = (x.astype(np.float32) - self.shift) * self.scale
        return scaled.astype(np.float32)


class DatasetChoice(Choice):
    """A data set to pick. Shares of train and validation; the rest is the test split, looked at once, at the end."""

    preparation: Preparation = Preparation()
    """What is done to the examples before the model sees them."""
    train_share: float = Field(0.7, ge=0.1, le=0.9, multiple_of=0.05)
    """Share of the examples to learn from."""
    validation_share: float = Field(0.15, ge=0.05, le=0.45, multiple_of=0.05, validate_default=True)
    """Share of the examples to check on after each epoch."""

    both_shares: ClassVar[float] = 0.95
    """Largest sum of the two shares, so that a test split is left."""

    @field_validator("validation_share")
    @classmethod
    def _leaves_enough(cls, share: float, info: ValidationInfo) -> float:
        """Checked on the later of the two fields, so that a form can show the finding there."""
        both = share + info.data.get("train_share", 0.0)
        if both > cls.both_shares + 1e-9:
            raise PydanticCustomError(
                "shares_too_large",
                "train and validation together take {both} of the examples, at most {limit} is possible",
                {"both": f"{both:.2f}", "limit": f"{cls.both_shares:.2f}"},
            )
        return share

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """A data set's own fields first, then the shares that all have; the preparation has a form of its own."""
        knobs = super().knobs()
        shares = ("train_share", "validation_share")
        own = {name: info for name, info in knobs.items() if name not in (*shares, "preparation")}
        return own | {name: knobs[name] for name in shares}

    def original_profile(self) -> DataProfile:
        """What is known before loading, of the examples as they come; cheap and torch-free."""
        raise TypeError(f"{type(self).__name__} must say its profile")

    def original(self, seed: int) -> Splits:
        """The examples as they come, split, before any preparation: `shift` is 0 and `scale` is 1.

        Missing values of tables are NaN, categories are their numbers. Equal seeds give equal bytes.

        Raises:
            MissingData: files are not where they should be; the hint names folder and files.
        """
        raise TypeError(f"{type(self).__name__} must load its examples")

    def profile(self) -> DataProfile:
        """What is known before loading, of the examples as the model gets them; cheap and torch-free."""
        from core.data.prepare import prepared_profile

        return prepared_profile(self.original_profile(), self.preparation)

    def splits(self, seed: int) -> Splits:
        """The examples, split and prepared; errors as in `original`. Equal seeds give equal bytes."""
        from core.data.prepare import prepared

        return prepared(self.original(seed), self.preparation, seed)


class ImageDataset(DatasetChoice):
    """Images to pick."""

    preparation: Preparation = Preparation(scaling="unit")
    """What is done to the images before the model sees them."""


def unprepared(profile: DataProfile, parts: Sequence[Split], **facts: Any) -> Splits:
    """Splits of examples as they come: shift 0 and scale 1."""
    train, validation, test = parts
    ones = (1,) * len(profile.input_shape) if profile.modality == "image" else profile.input_shape
    return Splits(profile, train, validation, test, np.zeros(ones, np.float32), np.ones(ones, np.float32), **facts)
