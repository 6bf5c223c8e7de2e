"""Layers over a sequence of vectors (L, D) = (length, features): windows along time, and one vector out of many.

One convention in the whole stack: sequences are (L, D). torch's Conv1d and MaxPool1d take (N, C, L); ours take and give
(L, D) and turn the axes around torch's own layer.
"""

import math
from typing import ClassVar, Literal

from pydantic import Field

from core.errors import ShapeError
from core.models.layer import Call, LayerChoice, WeightedLayer, Window
from core.models.layers.refusal import refusal
from core.models.layers.window import sliding, window_positions
from core.spec import Choice
from core.types import Shape


def as_sequence(layer: Choice, shape: Shape) -> tuple[int, int]:
    """`shape` as (L, D).

    Raises:
        ShapeError: it has another number of axes.
    """
    if len(shape) != 2:
        hint = "Put PatchEmbed before it, which makes a sequence of maps."
        if len(shape) == 1:
            hint = (
                "Put Embedding before it if these are token numbers, or let the recurrent layer before it return the sequence."
            )
        raise refusal(layer, "a sequence of vectors (length × features)", shape, hint)
    length, features = shape
    return length, features


def _steps_left(layer: Choice, shape: Shape, window: Window, padding: int = 0) -> int:
    """Steps after a window has slid along the sequence.

    Raises:
        ShapeError: it is longer than the padded sequence.
    """
    length, _ = as_sequence(layer, shape)
    steps = window_positions(length, window.size, int(window.step), padding)
    if steps < 1:
        what = f"its window of {window.size}" + (f" with padding {padding}" if padding else "")
        hint = "Lower its kernel_size, or remove a pooling layer before it."
        raise refusal(layer, f"a sequence of at least {window.size - 2 * padding} steps for {what}", shape, hint)
    return steps


def _along_time(target: str, args: tuple[int, ...], kwargs: dict[str, int | bool | None]) -> Call:
    """torch's layer for (N, C, L), with the axes turned around it."""
    return Call("core.models.modules.sequence:AlongTime", (Call(target, args, kwargs),))


class Conv1d(WeightedLayer):
    """Slides learned filters along a sequence: each looks at all features of a few steps, like an n-gram.

    Takes (L, D) and gives (steps, out_channels); the features D are torch's input channels.
    """

    kind: Literal["Conv1d"] = "Conv1d"
    label: ClassVar[str] = "Conv1d"
    source: ClassVar[str] = 'Kim 2014, "Convolutional neural networks for sentence classification"'

    out_channels: int = Field(32, ge=1, le=1024)
    """Number of filters: the features of each step that comes out."""
    kernel_size: int = Field(3, ge=1, le=64)
    """Steps that a filter looks at."""
    stride: int = Field(1, ge=1, le=16)
    """Steps between two places of the filter; 2 halves the length."""
    padding: int = Field(0, ge=0, le=64)
    """Steps of zeros added at each end; half of kernel_size keeps the length."""
    dilation: int = Field(1, ge=1, le=16)
    """Distance between the steps a filter looks at; above 1 it sees further with as many weights."""
    groups: int = Field(1, ge=1, le=1024)
    """Groups of features that do not see each other; must divide both the features and out_channels."""
    bias: bool = True
    """Whether each filter has a learned offset."""

    def out_shape(self, shape: Shape) -> Shape:
        _, features = as_sequence(self, shape)
        hint = "Set groups to 1, or to a divisor of both the features and out_channels."
        if self.out_channels % self.groups:
            raise ShapeError(
                f"{self.kind} has {self.out_channels:,} output channels, which {self.groups:,} groups cannot share equally.",
                hint=hint,
                layer=self.kind,
                out_channels=self.out_channels,
                groups=self.groups,
            )
        if features % self.groups:
            raise refusal(self, f"a number of features that {self.groups:,} groups can share equally", shape, hint)
        return (_steps_left(self, shape, self.window(shape), self.padding), self.out_channels)

    def n_parameters(self, shape: Shape) -> int:
        return (shape[1] // self.groups * self.kernel_size + self.bias) * self.out_channels

    def multiply_adds(self, shape: Shape) -> int:
        return math.prod(self.out_shape(shape)) * (shape[1] // self.groups) * self.kernel_size

    def window(self, shape: Shape) -> Window:
        return sliding(self.kernel_size, self.stride, self.padding, self.dilation)

    def call(self, shape: Shape) -> Call:
        _, features = shape
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}
        return _along_time("torch.nn:Conv1d", (features, self.out_channels, self.kernel_size), {**settings, "bias": self.bias})


class MaxPool1d(LayerChoice):
    """Keeps the largest value of each feature in each window of steps: (L, D) becomes (fewer steps, D)."""

    kind: Literal["MaxPool1d"] = "MaxPool1d"
    label: ClassVar[str] = "MaxPool1d"
    source: ClassVar[str] = 'Collobert et al. 2011, "Natural language processing (almost) from scratch"'

    kernel_size: int = Field(2, ge=1, le=64)
    """Steps in a window."""
    stride: int | None = Field(None, ge=1, le=64)
    """Steps between two windows; empty means as many as kernel_size, so that windows touch and do not overlap."""

    def out_shape(self, shape: Shape) -> Shape:
        return (_steps_left(self, shape, self.window(shape)), shape[1])

    def window(self, shape: Shape) -> Window:
        return sliding(self.kernel_size, self.stride or self.kernel_size)

    def call(self, shape: Shape) -> Call:
        return _along_time("torch.nn:MaxPool1d", (self.kernel_size,), {"stride": self.stride})


class PoolTime(LayerChoice):
    """One vector for a whole sequence: (L, D) becomes (D,).

    There is no mask: padding steps count in the mean and the maximum. Padding is on the left, so that the last step is
    the end of the sentence; the first step is the class token where PatchEmbed has added one.
    """

    kind: Literal["PoolTime"] = "PoolTime"
    label: ClassVar[str] = "Pool over time"
    source: ClassVar[str] = 'Collobert & Weston 2008, "A unified architecture for natural language processing", section 3.3'

    reduce: Literal["mean", "max", "last", "first"] = "mean"
    """mean or max over all steps of each feature, or the vector of the last or the first step alone."""

    def out_shape(self, shape: Shape) -> Shape:
        _, features = as_sequence(self, shape)
        return (features,)

    def window(self, shape: Shape) -> Window | None:
        return None if self.reduce in ("mean", "max") else Window()

    def call(self, shape: Shape) -> Call:
        return Call("core.models.modules.sequence:PoolTime", (self.reduce,))
