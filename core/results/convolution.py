"""One output map of a convolution with all that it is made of."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ConvolutionParts:
    """How one output map of a Conv2d comes about for one example.

    output[r, c] = Σ over channels Σ over i, j of input[channel, r·stride + i·dilation - padding, c·stride + j·dilation -
    padding] · kernel[channel, i, j], plus the bias; outside the input there are zeros.
    """

    layer_name: str
    channel: int
    """Of the output."""
    n_channels: int
    inputs: np.ndarray
    """(K, H, W) float32: those input channels of its group that are sent along, in their order."""
    kernels: np.ndarray
    """(K, k, k) float32, of the same channels."""
    input_channels: np.ndarray
    """(K,) int64: their numbers among all input channels."""
    rest: np.ndarray
    """(H', W') float32: what the channels of its group that are not sent add up to; 0 where all are sent."""
    n_rest: int
    output: np.ndarray
    """(H', W') float32: the map as the layer gave it, caught by a hook."""
    bias: float
    has_bias: bool
    largest_difference: float
    """Between the output and our own sum in double precision, over all places."""
    stride: int
    padding: int
    dilation: int
    groups: int
    n_inputs: int
    """Channels that the layer receives, of all groups."""
    step: int
