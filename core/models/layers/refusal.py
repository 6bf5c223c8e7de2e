"""How a layer says no: one sentence shape, so that a stack can add who sent what."""

from core.errors import ShapeError
from core.spec import Choice
from core.types import Shape, shape_text

Map = tuple[int, int, int]
"""Channels, height, width of one image or of one layer's feature maps."""


def refusal(layer: Choice, needs: str, shape: Shape, hint: str) -> ShapeError:
    """The error "<layer> needs <needs> but receives <shape>."; `params` has the parts."""
    message = f"{layer.kind} needs {needs} but receives {received(shape)}."
    return ShapeError(message, hint=hint, layer=layer.kind, needs=needs, shape=shape)


def received(shape: Shape) -> str:
    """A shape in words: `8 × 4 × 4`, or `a flat vector of 64`."""
    return f"a flat vector of {shape_text(shape)}" if len(shape) == 1 else shape_text(shape)


def as_map(layer: Choice, shape: Shape) -> Map:
    """`shape` as (C, H, W).

    Raises:
        ShapeError: it has another number of axes.
    """
    if len(shape) != 3:
        raise refusal(
            layer,
            "maps (channels × height × width)",
            shape,
            "Put it where there still are maps, before any Flatten, or remove it.",
        )
    channels, height, width = shape
    return channels, height, width
