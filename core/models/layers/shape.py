"""Layers that only rearrange or repeat numbers."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import as_map, refusal
from core.models.layers.window import enlarging, interpolating
from core.types import Shape


class Flatten(LayerChoice):
    """Lays all maps out as one vector, channel by channel and row by row; a sequence step by step."""

    kind: Literal["Flatten"] = "Flatten"
    label: ClassVar[str] = "Flatten"

    def out_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def n_activations(self, shape: Shape) -> int:
        return 0

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Flatten")


class Reshape(LayerChoice):
    """Arranges the same numbers as maps (channels × height × width), row by row: the way back from Flatten.

    An empty height or width is what is left over; with both empty, maps are square.
    """

    kind: Literal["Reshape"] = "Reshape"
    label: ClassVar[str] = "Reshape"

    channels: int = Field(1, ge=1, le=1024)
    """Number of maps."""
    height: int | None = Field(None, ge=1, le=1024)
    """Rows of each map; empty for what is left over."""
    width: int | None = Field(None, ge=1, le=1024)
    """Pixels in each row; empty for what is left over."""

    def out_shape(self, shape: Shape) -> Shape:
        n_numbers = math.prod(shape)
        per_map, left = divmod(n_numbers, self.channels)
        if self.height is not None or self.width is not None:
            height = self.height or per_map // (self.width or 1)
            width = self.width or per_map // (self.height or 1)
        else:
            height = width = math.isqrt(per_map)
        if left or height * width != per_map or not per_map:
            raise refusal(self, self._needs(), shape, f"{n_numbers:,} numbers arrive: choose sides whose product this is.")
        return (self.channels, height, width)

    def _needs(self) -> str:
        sides = [size for size in (self.channels, self.height, self.width) if size is not None]
        if len(sides) == 3:
            return f"{math.prod(sides):,} numbers"
        if len(sides) == 2:
            return f"a multiple of {math.prod(sides):,} numbers"
        return f"{self.channels:,} times a square number" if self.channels > 1 else "a square number of values"

    def n_activations(self, shape: Shape) -> int:
        return 0

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        unflatten = Call("torch.nn:Unflatten", (1, self.out_shape(shape)))
        return unflatten if len(shape) == 1 else Call("torch.nn:Sequential", (Call("torch.nn:Flatten"), unflatten))


class Upsample(LayerChoice):
    """Enlarges maps by a whole factor, with nothing to learn."""

    kind: Literal["Upsample"] = "Upsample"
    label: ClassVar[str] = "Upsample"
    source: ClassVar[str] = 'Odena et al. 2016, "Deconvolution and checkerboard artifacts"'

    scale_factor: int = Field(2, ge=2, le=8)
    """Height and width become this many times larger."""
    mode: Literal["nearest", "bilinear"] = "nearest"
    """nearest: each pixel is repeated. bilinear: a weighted mean of the pixels around."""

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = as_map(self, shape)
        return (channels, height * self.scale_factor, width * self.scale_factor)

    def window(self, shape: Shape) -> Window | None:
        if self.mode == "bilinear":
            return interpolating(self.scale_factor)
        return enlarging(self.scale_factor, self.scale_factor)

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Upsample", (), {"scale_factor": self.scale_factor, "mode": self.mode})
