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

    p: float = Field(0.5, ge=0.0, le=1.0, title="chance")
    """Chance of each image to be flipped."""


class VerticalFlip(AugmentationChoice):
    """Top becomes bottom. For pictures that have no up and down, such as cells or satellite images."""

    kind: Literal["vertical_flip"] = "vertical_flip"
    label: ClassVar[str] = "Vertical flip"

    p: float = Field(0.5, ge=0.0, le=1.0, title="chance")
    """Chance of each image to be flipped."""


class RandomCrop(AugmentationChoice):
    """A border of 0 is added on all sides and a window of the old size is cut out: the picture moves by whole pixels."""

    kind: Literal["random_crop"] = "random_crop"
    label: ClassVar[str] = "Random crop"
    source: ClassVar[str] = "Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10"

    padding: int = Field(2, ge=1, le=8)
    """Pixels of border: the picture moves at most so far along each axis."""


class Rotation(AugmentationChoice):
    """Turned around the middle; what turns in from outside is 0."""

    kind: Literal["rotation"] = "rotation"
    label: ClassVar[str] = "Rotation"

    degrees: float = Field(15.0, ge=0.0, le=180.0)
    """At most so far to either side."""


class Affine(AugmentationChoice):
    """Moved, made larger or smaller, and slanted; what comes in from outside is 0."""

    kind: Literal["affine"] = "affine"
    label: ClassVar[str] = "Shift, zoom and shear"

    translate: float = Field(0.1, ge=0.0, le=0.5)
    """Moved at most by this share of the width and of the height."""
    scale: float = Field(0.1, ge=0.0, le=0.5)
    """Larger or smaller at most by this share."""
    shear: float = Field(5.0, ge=0.0, le=45.0)
    """Slanted at most by so many degrees to either side."""


class ColorJitter(AugmentationChoice):
    """Another light: brighter or darker, more or less contrast and colour."""

    kind: Literal["color_jitter"] = "color_jitter"
    label: ClassVar[str] = "Colour jitter"

    brightness: float = Field(0.2, ge=0.0, le=0.9)
    """Brightness times a factor that is off 1 by at most this."""
    contrast: float = Field(0.2, ge=0.0, le=0.9)
    """Differences from the mean grey times a factor that is off 1 by at most this."""
    saturation: float = Field(0.2, ge=0.0, le=0.9)
    """Differences from the pixel's own grey times a factor that is off 1 by at most this; without effect on grey images."""
    hue: float = Field(0.0, ge=0.0, le=0.5)
    """Colours move by at most this share of the colour circle; without effect on grey images."""


class Cutout(AugmentationChoice):
    """A square of 0 at a random place, which may reach over the edge: the network must not rely on a single part."""

    kind: Literal["cutout"] = "cutout"
    label: ClassVar[str] = "Cutout"
    source: ClassVar[str] = "DeVries and Taylor 2017, Improved Regularization of Convolutional Neural Networks with Cutout"

    share: float = Field(0.1, ge=0.01, le=0.5)
    """Area of the square, as a share of the picture."""
    p: float = Field(0.5, ge=0.0, le=1.0, title="chance")
    """Chance of each image to get a square."""


class MixUp(AugmentationChoice):
    """Each image becomes a blend of itself and another one of its batch, and so does its class."""

    kind: Literal["mixup"] = "mixup"
    label: ClassVar[str] = "MixUp"
    source: ClassVar[str] = "Zhang, Cisse, Dauphin and Lopez-Paz 2018, mixup: Beyond Empirical Risk Minimization"

    alpha: float = Field(0.2, ge=0.05, le=2.0)
    """Shares are drawn from a Beta(alpha, alpha) distribution: near 0 and 1 for small values, all alike for 1."""


AnyAugmentation = Annotated[
    HorizontalFlip | VerticalFlip | RandomCrop | Rotation | Affine | ColorJitter | Cutout | MixUp, on_menu()
]
"""Every augmentation, in the order in which the page offers them."""
