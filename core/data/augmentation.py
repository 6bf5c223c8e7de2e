"""Augmentation: random changes of the training images that leave their class as it is. What is done, without torch."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu


class AugmentationChoice(Choice):
    """One random change. Each training image of each step gets its own."""


class HorizontalFlip(AugmentationChoice):
    """Left becomes right. Not for digits and letters, which change their meaning."""

    kind: Literal["horizontal_flip"] = "horizontal_flip"
    label: ClassVar[str] = "Horizontal flip"

    p: float = Field(0.5, ge=0.0, le=1.0)
    """Chance of each image to be flipped."""


class Rotation(AugmentationChoice):
    """Turned around the middle."""

    kind: Literal["rotation"] = "rotation"
    label: ClassVar[str] = "Rotation"

    degrees: float = Field(15.0, ge=0.0, le=180.0)
    """At most so far to either side."""


AnyAugmentation = Annotated[HorizontalFlip | Rotation, on_menu()]
"""Every augmentation, in the order in which the page offers them."""
