"""Layers that only rearrange numbers."""

import math
from typing import ClassVar, Literal

from core.models.layer import Call, LayerChoice, Window
from core.types import Shape


class Flatten(LayerChoice):
    """Lays all maps out as one vector, channel by channel and row by row."""

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
