"""What a stack costs: multiply-adds and bytes, known before anything is allocated."""

import math
from typing import TYPE_CHECKING

from core.models.layer import LayerChoice
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.shape import Flatten
from core.types import Shape

if TYPE_CHECKING:
    from core.models.model import Inference, ModelSpec

FLOAT32_BYTES = 4


def multiply_adds(layer: LayerChoice, in_shape: Shape, out_shape: Shape) -> int:
    """Multiplications with an addition in one forward pass of one example; half of torch's FLOP count.

    Counted as the field counts them: Linear and Conv2d without their bias, window places on the padding included; every
    other layer counts 0, as its work is small beside these.
    """
    if isinstance(layer, Linear):
        return in_shape[0] * out_shape[0]
    if isinstance(layer, Conv2d):
        return math.prod(out_shape) * (in_shape[0] // layer.groups) * layer.kernel_size**2
    return 0


def parameter_bytes(inference: "Inference", bytes_each: int = FLOAT32_BYTES) -> int:
    """Bytes of the weights alone. In training the gradients take as much again, and Adam's state twice as much again."""
    return inference.n_parameters * bytes_each


def activation_bytes(model: "ModelSpec", inference: "Inference", bytes_each: int = FLOAT32_BYTES) -> int:
    """Bytes per example of the input and of every layer's output: what training holds until the backward pass.

    Flatten adds none, as it is a view. Not in it: MaxPool2d's indices, Dropout's mask, scratch memory. Layers behind a
    shape error add none.
    """
    numbers = math.prod(inference.input_shape)
    for layer, info in zip(model.layers, inference.layers, strict=True):
        if info.out_shape is not None and not isinstance(layer, Flatten):
            numbers += math.prod(info.out_shape)
    return numbers * bytes_each
