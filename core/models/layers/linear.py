"""Fully connected layers."""

from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, WeightedLayer, Window
from core.models.layers.refusal import refusal
from core.types import Shape

MAX_FEATURES = 16384


class Linear(WeightedLayer):
    """Every output is a weighted sum of all inputs, plus a bias.

    Takes flat vectors only. torch would also take (C, H, W) or (L, D) and act on the last axis alone; in a stack for images
    that is nearly always a forgotten Flatten, and for sequences a forgotten pooling over time, so both are refused.
    """

    kind: Literal["Linear"] = "Linear"
    label: ClassVar[str] = "Linear"
    source: ClassVar[str] = 'Rosenblatt 1958, "The perceptron"'

    out_features: int = Field(64, ge=1, le=MAX_FEATURES)
    """Number of outputs (neurons)."""
    bias: bool = True
    """Whether each output has a learned offset."""

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            hint = "Put a pooling over time or Flatten before it." if len(shape) == 2 else "Put Flatten before it."
            raise refusal(self, "a flat vector", shape, hint)
        return (self.out_features,)

    def n_parameters(self, shape: Shape) -> int:
        return (shape[0] + self.bias) * self.out_features

    def multiply_adds(self, shape: Shape) -> int:
        return shape[0] * self.out_features

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Linear", (shape[0], self.out_features), {"bias": self.bias})
