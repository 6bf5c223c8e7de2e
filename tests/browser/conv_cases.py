"""Convolutions and a receptive field that the page shows and its tests know."""

import numpy as np

from core.inspection.convolution import partial_sums
from core.inspection.receptive_field import field_spans
from core.models.layers.convolution import Conv2d
from core.models.layers.pooling import MaxPool2d
from core.results.convolution import ConvolutionParts
from core.results.receptive_field import ReceptiveField

CASES = {  # kernel, stride, padding, dilation, channels, shown, bias
    "plain": (3, 1, 0, 1, 2, 2, True),
    "strided": (3, 2, 2, 1, 3, 3, True),
    "dilated": (3, 1, 2, 2, 4, 2, False),
    "large": (9, 3, 4, 1, 1, 1, True),
}


def parts(name: str) -> ConvolutionParts:
    side, stride, padding, dilation, n, n_shown, has_bias = CASES[name]
    random = np.random.default_rng(len(name))
    inputs = random.normal(size=(n, 12, 9)).astype(np.float32)
    kernels = random.normal(size=(n, side, side)).astype(np.float32)
    sums = partial_sums(inputs, kernels, stride=stride, padding=padding, dilation=dilation)
    bias = 0.25 if has_bias else 0.0
    return ConvolutionParts(
        layer_name="1 Conv2d", channel=5, n_channels=8, inputs=inputs[:n_shown], kernels=kernels[:n_shown],
        input_channels=np.arange(n_shown), rest=sums[n_shown:].sum(0).astype(np.float32), n_rest=n - n_shown,
        output=(sums.sum(0) + bias).astype(np.float32), bias=bias, has_bias=has_bias, largest_difference=0.0, stride=stride,
        padding=padding, dilation=dilation, groups=1, n_inputs=n, step=0,
    )  # fmt: skip


def field() -> ReceptiveField:
    layers = (Conv2d(kernel_size=5, padding=2), MaxPool2d(kernel_size=2))
    rows, columns = field_spans(layers, (1, 16, 12), (1,))
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (16, 12), dtype=np.uint8)
    values = random.random((8, 6)).astype(np.float32)
    return ReceptiveField("2 MaxPool2d", 3, 16, rows, columns, (6, 6), values, picture, 0)
