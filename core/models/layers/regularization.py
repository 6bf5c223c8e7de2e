"""Layers that act differently in training and in use: dropout and batch normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice
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


class BatchNorm(LayerChoice):
    """What both batch normalisations share: one learned scale and shift per feature or channel."""

    source: ClassVar[str] = 'Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training"'

    momentum: float = Field(0.1, ge=0.0, le=1.0)
    """Weight of the newest batch in the running mean and variance that are used after training."""
    eps: float = Field(1e-5, ge=1e-8, le=0.1)
    """Added to the variance, so that nothing is divided by zero."""

    def n_parameters(self, shape: Shape) -> int:
        return 2 * shape[0]


class BatchNorm1d(BatchNorm):
    """Makes each feature have mean 0 and variance 1 over the batch, then scales and shifts it."""

    kind: Literal["BatchNorm1d"] = "BatchNorm1d"
    label: ClassVar[str] = "BatchNorm1d"

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise refusal(self, "a flat vector", shape, "Use BatchNorm2d for maps, or put Flatten before it.")
        return shape

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:BatchNorm1d", (shape[0],), {"eps": self.eps, "momentum": self.momentum})


class BatchNorm2d(BatchNorm):
    """Makes each channel have mean 0 and variance 1 over the batch and all pixels, then scales and shifts it."""

    kind: Literal["BatchNorm2d"] = "BatchNorm2d"
    label: ClassVar[str] = "BatchNorm2d"

    def out_shape(self, shape: Shape) -> Shape:
        return as_map(self, shape)

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:BatchNorm2d", (shape[0],), {"eps": self.eps, "momentum": self.momentum})
