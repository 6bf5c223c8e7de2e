"""What a layer is: a Choice that infers its shapes and costs without torch, and says which torch module it is."""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic.fields import FieldInfo

from core.models.init import AnyBiasInit, AnyInit
from core.spec import Choice
from core.types import Shape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Call:
    """A module as code asks for it: `nn.Linear(64, 10, bias=False)`.

    `target` is "torch.nn:Linear", or a class of ours in core/models/modules. Arguments are numbers, bools, text, None,
    Calls, or tuples of these. Both the live module and the exported source are made from it, so they cannot differ.
    """

    target: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def module(self) -> Any:
        """The live object, its inner Calls made first, in order."""
        name, _, attribute = self.target.partition(":")
        made = getattr(importlib.import_module(name), attribute)
        return made(*map(_live, self.args), **{key: _live(value) for key, value in self.kwargs.items()})


def _live(value: Any) -> Any:
    if isinstance(value, Call):
        return value.module()
    return tuple(map(_live, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Window:
    """What one output looks at along each spatial axis (or along time): `size` inputs, `step` inputs apart.

    A `step` below 1 belongs to a layer that enlarges its maps.
    """

    size: int = 1
    step: Fraction = Fraction(1)


class LayerChoice(Choice):
    """One layer of a stack. Shapes exclude the batch axis: (F,) flat or token numbers, (L, D) a sequence of vectors,
    (C, H, W) maps."""

    def out_shape(self, shape: Shape) -> Shape:
        """The shape this layer gives for an input of `shape`.

        Raises:
            ShapeError: the layer cannot take this shape; the message has the shape and the hint says what to put before.
        """
        raise TypeError(f"{type(self).__name__} must say its output shape")

    def call(self, shape: Shape) -> Call:
        """The torch module for an input of `shape`; never in-place."""
        raise TypeError(f"{type(self).__name__} must say its module")

    def inner(self) -> tuple[tuple["LayerChoice", ...], ...]:
        """Containers: the branches that they hold, each a stack of layers; () for all others."""
        return ()

    def n_parameters(self, shape: Shape) -> int:
        """Trainable numbers for an input of `shape`."""
        return 0

    def n_frozen(self, shape: Shape) -> int:
        """Numbers that training leaves as they are, but that take memory too: a frozen backbone's."""
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        """Multiplications with an addition in one forward pass of one example: half of torch's FLOP count.

        Counted as the field counts them: matrix products and convolutions without their bias; the rest counts 0.
        """
        return 0

    def n_activations(self, shape: Shape) -> int:
        """Numbers of one example that training holds for the backward pass beside the input; 0 for a view."""
        return math.prod(self.out_shape(shape))

    def window(self, shape: Shape) -> Window | None:
        """What one output looks at; None where every output sees the whole input."""
        return Window()

    def build(self, shape: Shape) -> "nn.Module":
        """A fresh torch module for an input of `shape`."""
        module: nn.Module = self.call(shape).module()
        return module


class WeightedLayer(LayerChoice):
    """A layer with weights, which may start differently from the model's other weights."""

    init: AnyInit | None = None
    """How its weights start; empty for the model's own initialisation."""
    bias_init: AnyBiasInit | None = Field(None, title="bias init")
    """How its biases start; empty for the model's own initialisation."""

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The layer's own fields first, then how it starts."""
        knobs = super().knobs()
        starts = ("init", "bias_init")
        return {name: info for name, info in knobs.items() if name not in starts} | {name: knobs[name] for name in starts}
