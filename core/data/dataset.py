"""What a data set is: a Choice that knows its profile without loading, and loads deterministically by seed."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core.spec import Choice
from core.types import Shape

Modality = Literal["points", "image", "tabular"]


@dataclass(frozen=True, slots=True)
class DataProfile:
    """What is known before loading. `input_shape` excludes the batch axis; images are (C, H, W)."""

    modality: Modality
    input_shape: Shape
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    feature_names: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of one split. `x` (N, *input_shape), uint8 for images and float32 else; `y` (N,) int64."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, slots=True)
class Splits:
    """A data set, loaded and split. What the model sees is `(x - shift) * scale`, both broadcast to the input shape.

    `shift` and `scale` come from the training split alone (or are fixed, as 0 and 1/255 for images).
    """

    profile: DataProfile
    train: Split
    validation: Split
    test: Split
    shift: np.ndarray
    scale: np.ndarray

    def model_input(self, x: np.ndarray) -> np.ndarray:
        """`x` as the model receives it, float32."""
        scaled: np.ndarray = (x.astype(np.float32) - self.shift) * self.scale
        return scaled.astype(np.float32)


class DatasetChoice(Choice):
    """A data set to pick. Shares of train and validation; the rest is the test split, looked at once, at the end."""

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
        """A data set's own fields first, then the shares that all have."""
        knobs = super().knobs()
        shares = ("train_share", "validation_share")
        return {name: info for name, info in knobs.items() if name not in shares} | {name: knobs[name] for name in shares}

    def profile(self) -> DataProfile:
        """What is known before loading; cheap and torch-free."""
        raise TypeError(f"{type(self).__name__} must say its profile")

    def splits(self, seed: int) -> Splits:
        """The examples, split and ready. Equal seeds give equal bytes.

        Raises:
            MissingData: files are not where they should be; the hint names folder and files.
        """
        raise TypeError(f"{type(self).__name__} must load its splits")
