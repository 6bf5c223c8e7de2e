"""Pooling: smaller maps, one number per window, nothing to learn."""

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from core.errors import ShapeError
from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import as_map
from core.models.layers.window import slide
from core.types import Shape


class Pool2d(LayerChoice):
    """What both poolings share: a square window on each map."""

    kernel_size: int = Field(2, ge=1, le=32)
    """Side of the square window, in pixels."""
    stride: int | None = Field(None, ge=1, le=32)
    """Pixels between two windows; empty means as many as kernel_size, so that windows touch and do not overlap."""
    padding: int = Field(0, ge=0, le=16)
    """Pixels added on each side; at most half of kernel_size."""

    def out_shape(self, shape: Shape) -> Shape:
        maps = as_map(self, shape)
        if 2 * self.padding > self.kernel_size:
            raise ShapeError(
                f"{self.kind} has padding {self.padding}, more than half of its kernel_size {self.kernel_size}.",
                hint=f"Set padding to {self.kernel_size // 2} or less.",
                layer=self.kind,
                padding=self.padding,
                kernel_size=self.kernel_size,
            )
        stride = self.kernel_size if self.stride is None else self.stride
        return (maps[0], *slide(self, maps, self.kernel_size, stride, self.padding))

    def window(self, shape: Shape) -> Window | None:
        return Window(self.kernel_size, Fraction(self.stride or self.kernel_size))


class MaxPool2d(Pool2d):
    """Keeps the largest value of each window."""

    kind: Literal["MaxPool2d"] = "MaxPool2d"
    label: ClassVar[str] = "MaxPool2d"
    source: ClassVar[str] = 'Scherer et al. 2010, "Evaluation of pooling operations in convolutional architectures"'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:MaxPool2d", (self.kernel_size,), {"stride": self.stride, "padding": self.padding})


class AvgPool2d(Pool2d):
    """Keeps the mean of each window; padded zeros count, as in torch."""

    kind: Literal["AvgPool2d"] = "AvgPool2d"
    label: ClassVar[str] = "AvgPool2d"
    source: ClassVar[str] = 'LeCun et al. 1998, "Gradient-based learning applied to document recognition"'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:AvgPool2d", (self.kernel_size,), {"stride": self.stride, "padding": self.padding})
