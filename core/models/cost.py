"""What a stack costs in bytes, known before anything is allocated."""

import math

from core.models.stack import Inference

FLOAT32_BYTES = 4


def parameter_bytes(inference: Inference, bytes_each: int = FLOAT32_BYTES) -> int:
    """Bytes of the weights alone. In training the gradients take as much again, and Adam's state twice as much again."""
    return inference.n_parameters * bytes_each


def activation_bytes(inference: Inference, bytes_each: int = FLOAT32_BYTES) -> int:
    """Bytes per example of the input and of what every layer keeps: what training holds until the backward pass.

    Not in it: MaxPool2d's indices, Dropout's mask, scratch memory. Layers behind a shape error add none.
    """
    return (math.prod(inference.input_shape) + inference.n_activations) * bytes_each
