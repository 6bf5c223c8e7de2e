"""Convolutions: one small filter, applied everywhere."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from core.errors import ShapeError
from core.models.layer import Call, WeightedLayer, Window
from core.models.layers.refusal import Map, as_map, refusal
from core.models.layers.window import enlarging, slide, sliding
from core.types import Shape


class Filters(WeightedLayer):
    """What both convolutions share: square filters on maps, in groups of channels."""

    out_channels: int = Field(16, ge=1, le=1024)
    """Number of output maps (filters)."""
    kernel_size: int = Field(3, ge=1, le=32)
    """Side of the square filter, in pixels."""
    stride: int = Field(1, ge=1, le=16)
    """Pixels between two places of the filter; 2 halves the map."""
    padding: int = Field(0, ge=0, le=32)
    """Zeros added on each side; half of kernel_size keeps the map's size."""
    groups: int = Field(1, ge=1, le=1024)
    """Groups of channels that do not see each other; must divide both input and output channels."""
    bias: bool = True
    """Whether each output map has a learned offset."""

    def grouped_maps(self, shape: Shape) -> Map:
        """`shape` as (C, H, W).

        Raises:
            ShapeError: these are no maps, or the groups cannot share the channels.
        """
        maps = as_map(self, shape)
        hint = "Set groups to 1, or to a divisor of both channel numbers."
        if self.out_channels % self.groups:
            raise ShapeError(
                f"{self.kind} has {self.out_channels:,} output channels, which {self.groups:,} groups cannot share equally.",
                hint=hint,
                layer=self.kind,
                out_channels=self.out_channels,
                groups=self.groups,
            )
        if maps[0] % self.groups:
            raise refusal(self, f"a number of channels that {self.groups:,} groups can share equally", shape, hint)
        return maps

    def n_parameters(self, shape: Shape) -> int:
        return (shape[0] // self.groups * self.kernel_size**2 + self.bias) * self.out_channels


class Conv2d(Filters):
    """Slides learned square filters over the maps; every output map has its own filter."""

    kind: Literal["Conv2d"] = "Conv2d"
    label: ClassVar[str] = "Conv2d"
    source: ClassVar[str] = 'LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition"'

    dilation: int = Field(1, ge=1, le=16)
    """Distance between the pixels a filter looks at; above 1 it sees further with as many weights."""

    def out_shape(self, shape: Shape) -> Shape:
        maps = self.grouped_maps(shape)
        return (self.out_channels, *slide(self, maps, self.kernel_size, self.stride, self.padding, self.dilation))

    def multiply_adds(self, shape: Shape) -> int:
        return math.prod(self.out_shape(shape)) * (shape[0] // self.groups) * self.kernel_size**2

    def window(self, shape: Shape) -> Window | None:
        return sliding(self.kernel_size, self.stride, self.padding, self.dilation)

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


class ConvTranspose2d(Filters):
    """A convolution backwards: each pixel paints its filter onto a larger map, and what overlaps is added."""

    kind: Literal["ConvTranspose2d"] = "ConvTranspose2d"
    label: ClassVar[str] = "ConvTranspose2d"
    source: ClassVar[str] = 'Zeiler et al. 2010, "Deconvolutional networks"'

    kernel_size: int = Field(2, ge=1, le=32)
    """Side of the square filter, in pixels; a multiple of stride avoids a chequered pattern."""
    stride: int = Field(2, ge=1, le=16)
    """Pixels between the places at which two neighbouring pixels paint; 2 doubles the map."""
    padding: int = Field(0, ge=0, le=32)
    """Pixels cut off on each side of the result."""
    output_padding: int = Field(0, ge=0, le=15)
    """Pixels added at the bottom and on the right, where several sizes would be possible; must be below stride."""

    def out_shape(self, shape: Shape) -> Shape:
        maps = self.grouped_maps(shape)
        if self.output_padding >= self.stride:
            raise ShapeError(
                f"{self.kind} has output_padding {self.output_padding}, but it must be below its stride {self.stride}.",
                hint=f"Set output_padding to {self.stride - 1} or less.",
                layer=self.kind,
                output_padding=self.output_padding,
                stride=self.stride,
            )
        grown = self.kernel_size + self.output_padding - 2 * self.padding
        height, width = ((size - 1) * self.stride + grown for size in maps[1:])
        if height < 1 or width < 1:
            least = -(-(1 - grown) // self.stride) + 1
            hint = "Lower its padding, or raise its kernel_size."
            needs = f"maps of at least {least} × {least} for padding {self.padding} and kernel_size {self.kernel_size}"
            raise refusal(self, needs, shape, hint)
        return (self.out_channels, height, width)

    def multiply_adds(self, shape: Shape) -> int:
        return math.prod(shape) * (self.out_channels // self.groups) * self.kernel_size**2

    def window(self, shape: Shape) -> Window | None:
        return enlarging(self.kernel_size, self.stride, self.padding)

    def call(self, shape: Shape) -> Call:
        return Call(
            "torch.nn:ConvTranspose2d",
            (shape[0], self.out_channels, self.kernel_size),
            {
                "stride": self.stride,
                "padding": self.padding,
                "output_padding": self.output_padding,
                "groups": self.groups,
                "bias": self.bias,
            },
        )
