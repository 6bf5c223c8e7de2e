"""What a layer is: a Choice that infers its output shape and parameter count without torch, and builds its module."""

from typing import TYPE_CHECKING

from core.spec import Choice
from core.types import Shape

if TYPE_CHECKING:
    from torch import nn


class LayerChoice(Choice):
    """One layer of a stack. Shapes exclude the batch axis: (F,) or (C, H, W)."""

    def out_shape(self, shape: Shape) -> Shape:
        """The shape this layer gives for an input of `shape`.

        Raises:
            ShapeError: the layer cannot take this shape; the message has the shape and the hint says what to put before.
        """
        raise TypeError(f"{type(self).__name__} must say its output shape")

    def n_parameters(self, shape: Shape) -> int:
        """Trainable numbers for an input of `shape`."""
        return 0

    def build(self, shape: Shape) -> "nn.Module":
        """A fresh torch module, never in-place, for an input of `shape`."""
        raise TypeError(f"{type(self).__name__} must build its module")
