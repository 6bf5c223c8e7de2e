"""Pooling: smaller maps, one number per window, nothing to learn."""

from typing import ClassVar, Literal

from pydantic import Field

from core.errors import ShapeError
from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import as_map
from core.models.layers.window import adaptive, slide, sliding
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
        return (maps[0], *slide(self, maps, self.kernel_size, self.stride or self.kernel_size, self.padding))

    def window(self, shape: Shape) -> Window | None:
        return sliding(self.kernel_size, self.stride or self.kernel_size, self.padding)

    def call(self, shape: Shape) -> Call:
        return Call(f"torch.nn:{self.kind}", (self.kernel_size,), {"stride": self.stride, "padding": self.padding})


class MaxPool2d(Pool2d):
    """Keeps the largest value of each window."""

    kind: Literal["MaxPool2d"] = "MaxPool2d"
    label: ClassVar[str] = "MaxPool2d"
    source: ClassVar[str] = 'Scherer et al. 2010, "Evaluation of pooling operations in convolutional architectures"'


class AvgPool2d(Pool2d):
    """Keeps the mean of each window; padded zeros count, as in torch."""

    kind: Literal["AvgPool2d"] = "AvgPool2d"
    label: ClassVar[str] = "AvgPool2d"
    source: ClassVar[str] = 'LeCun et al. 1998, "Gradient-based learning applied to document recognition"'


class AdaptiveAvgPool2d(LayerChoice):
    """Means over as many windows as are asked for: maps of any size become maps of one size."""

    kind: Literal["AdaptiveAvgPool2d"] = "AdaptiveAvgPool2d"
    label: ClassVar[str] = "AdaptiveAvgPool2d"
    source: ClassVar[str] = 'He et al. 2014, "Spatial pyramid pooling in deep convolutional networks for visual recognition"'

    output_size: int = Field(4, ge=1, le=64)
    """Height and width of the maps that come out. Windows overlap by a pixel where it does not divide the map's sides."""

    def out_shape(self, shape: Shape) -> Shape:
        return (as_map(self, shape)[0], self.output_size, self.output_size)

    def window(self, shape: Shape) -> Window | None:
        """Of the longer side."""
        return adaptive(max(shape[1:]), self.output_size)

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:AdaptiveAvgPool2d", (self.output_size,))


class GlobalAvgPool(LayerChoice):
    """The mean of each map: (C, H, W) becomes a flat vector of C numbers, whatever the size of the maps."""

    kind: Literal["GlobalAvgPool"] = "GlobalAvgPool"
    label: ClassVar[str] = "Global average pooling"
    source: ClassVar[str] = 'Lin et al. 2014, "Network in network", section 3.2'

    def out_shape(self, shape: Shape) -> Shape:
        return (as_map(self, shape)[0],)

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Sequential", (Call("torch.nn:AdaptiveAvgPool2d", (1,)), Call("torch.nn:Flatten")))
