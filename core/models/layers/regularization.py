"""Layers that keep training in hand: dropout and the normalisations."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import as_map, refusal
from core.types import Shape


class Dropout(LayerChoice):
    """In training, sets random values to zero and scales the rest up to match; in use, does nothing."""

    kind: Literal["Dropout"] = "Dropout"
    label: ClassVar[str] = "Dropout"
    source: ClassVar[str] = 'Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting"'

    p: float = Field(0.5, ge=0.0, le=0.95)
    """Chance of each value to be dropped."""

    def out_shape(self, shape: Shape) -> Shape:
        return shape

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Dropout", (self.p,))


class Dropout2d(LayerChoice):
    """In training, sets whole maps to zero: neighbouring pixels say much the same, so that dropping single ones does little."""

    kind: Literal["Dropout2d"] = "Dropout2d"
    label: ClassVar[str] = "Dropout2d"
    source: ClassVar[str] = 'Tompson et al. 2015, "Efficient object localization using convolutional networks", section 3.2'

    p: float = Field(0.2, ge=0.0, le=0.95)
    """Chance of each map to be dropped."""

    def out_shape(self, shape: Shape) -> Shape:
        return as_map(self, shape)

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Dropout2d", (self.p,))


class Normalisation(LayerChoice):
    """What all normalisations share: numbers with mean 0 and variance 1, then a learned scale and shift."""

    eps: float = Field(1e-5, ge=1e-8, le=0.1)
    """Added to the variance, so that nothing is divided by zero."""

    def n_parameters(self, shape: Shape) -> int:
        """A scale and a shift for each feature or channel."""
        return 2 * shape[0]


class BatchNorm(Normalisation):
    """What both batch normalisations share: one learned scale and shift per feature or channel."""

    source: ClassVar[str] = 'Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training"'

    momentum: float = Field(0.1, ge=0.0, le=1.0)
    """Weight of the newest batch in the running mean and variance that are used after training."""

    def call(self, shape: Shape) -> Call:
        return Call(f"torch.nn:{self.kind}", (shape[0],), {"eps": self.eps, "momentum": self.momentum})


class BatchNorm1d(BatchNorm):
    """Makes each feature have mean 0 and variance 1 over the batch, then scales and shifts it."""

    kind: Literal["BatchNorm1d"] = "BatchNorm1d"
    label: ClassVar[str] = "BatchNorm1d"

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) == 2:
            raise refusal(self, "a flat vector", shape, "Use LayerNorm, which normalises each step of a sequence by itself.")
        if len(shape) != 1:
            raise refusal(self, "a flat vector", shape, "Use BatchNorm2d for maps, or put Flatten before it.")
        return shape


class BatchNorm2d(BatchNorm):
    """Makes each channel have mean 0 and variance 1 over the batch and all pixels, then scales and shifts it."""

    kind: Literal["BatchNorm2d"] = "BatchNorm2d"
    label: ClassVar[str] = "BatchNorm2d"

    def out_shape(self, shape: Shape) -> Shape:
        return as_map(self, shape)


class LayerNorm(Normalisation):
    """Makes the numbers of each example have mean 0 and variance 1, then scales and shifts each; the batch plays no part.

    Over all features of a vector, over all channels and pixels of maps, and over the features of each step of a sequence.
    """

    kind: Literal["LayerNorm"] = "LayerNorm"
    label: ClassVar[str] = "LayerNorm"
    source: ClassVar[str] = 'Ba et al. 2016, "Layer normalization"'

    def _axes(self, shape: Shape) -> Shape:
        return shape[1:] if len(shape) == 2 else shape

    def out_shape(self, shape: Shape) -> Shape:
        return shape

    def n_parameters(self, shape: Shape) -> int:
        """A scale and a shift for each number that is normalised."""
        return 2 * math.prod(self._axes(shape))

    def window(self, shape: Shape) -> Window | None:
        return Window() if len(shape) == 2 else None

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:LayerNorm", (self._axes(shape),), {"eps": self.eps})


class GroupNorm(Normalisation):
    """Makes each group of channels have mean 0 and variance 1 within each example: works with any batch size."""

    kind: Literal["GroupNorm"] = "GroupNorm"
    label: ClassVar[str] = "GroupNorm"
    source: ClassVar[str] = 'Wu & He 2018, "Group normalization"'

    num_groups: int = Field(2, ge=1, le=1024)
    """Groups of channels that are normalised together; must divide the number of channels."""

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) == 2:
            raise refusal(self, "maps or a flat vector", shape, "Use LayerNorm, which normalises each step of a sequence.")
        if shape[0] % self.num_groups:
            hint = "Set num_groups to 1, or to a divisor of the number of channels."
            raise refusal(self, f"a number of channels that {self.num_groups:,} groups can share equally", shape, hint)
        return shape

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:GroupNorm", (self.num_groups, shape[0]), {"eps": self.eps})
