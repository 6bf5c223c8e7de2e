"""Layers that only rearrange numbers."""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from core.models.layer import LayerChoice
from core.types import Shape

if TYPE_CHECKING:
    from torch import nn


class Flatten(LayerChoice):
    """Lays all maps out as one vector, channel by channel and row by row."""

    kind: Literal["Flatten"] = "Flatten"
    label: ClassVar[str] = "Flatten"

    def out_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def build(self, shape: Shape) -> "nn.Module":
        from torch import nn

        return nn.Flatten()
