"""Convolutions: one small filter, applied everywhere."""

import math
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from core.errors import ShapeError
from core.models.layer import Call, WeightedLayer, Window
from core.models.layers.refusal import as_map, refusal
from core.models.layers.window import slide
from core.types import Shape


class Conv2d(WeightedLayer):
    """Slides learned square filters over the maps; every output map has its own filter."""

    kind: Literal["Conv2d"] = "Conv2d"
    label: ClassVar[str] = "Conv2d"
    source: ClassVar[str] = 'LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition"'

    out_channels: int = Field(16, ge=1, le=1024)
    """Number of output maps (filters)."""
    kernel_size: int = Field(3, ge=1, le=32)
    """Side of the square filter, in pixels."""
    stride: int = Field(1, ge=1, le=16)
    """Pixels between two places of the filter; 2 halves the map."""
    padding: int = Field(0, ge=0, le=32)
    """Zeros added on each side; half of kernel_size keeps the map's size."""
    dilation: int = Field(1, ge=1, le=16)
    """Distance between the pixels a filter looks at; above 1 it sees further with as many weights."""
    groups: int = Field(1, ge=1, le=1024)
    """Groups of channels that do not see each other; must divide both input and output channels."""
    bias: bool = True
    """Whether each output map has a learned offset."""

    def out_shape(self, shape: Shape) -> Shape:
        maps = as_map(self, shape)
        if self.out_channels % self.groups:
            raise ShapeError(
                f"{self.kind} has {self.out_channels:,} output channels, which {self.groups:,} groups cannot share equally.",
                hint="Set groups to 1, or to a divisor of both channel numbers.",
                layer=self.kind,
                out_channels=self.out_channels,
                groups=self.groups,
            )
        if maps[0] % self.groups:
            hint = "Set groups to 1, or to a divisor of both channel numbers."
            raise refusal(self, f"a number of channels that {self.groups:,} groups can share equally", shape, hint)
        return (self.out_channels, *slide(self, maps, self.kernel_size, self.stride, self.padding, self.dilation))

    def n_parameters(self, shape: Shape) -> int:
        return (shape[0] // self.groups * self.kernel_size**2 + self.bias) * self.out_channels

    def multiply_adds(self, shape: Shape) -> int:
        return math.prod(self.out_shape(shape)) * (shape[0] // self.groups) * self.kernel_size**2

    def window(self, shape: Shape) -> Window | None:
        return Window(self.dilation * (self.kernel_size - 1) + 1, Fraction(self.stride))

    def call(self, shape: Shape) -> Call:
        return Call(
            "torch.nn:Conv2d",
            (shape[0], self.out_channels, self.kernel_size),
            {
                "stride": self.stride,
                "padding": self.padding,
                "dilation": self.dilation,
                "groups": self.groups,
                "bias": self.bias,
            },
        )
