"""The arithmetic of a convolution, product by product, and held against what the layer really gave."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import NotApplicable, SpecError
from core.models.model import layer_name
from core.models.placed import placed_layers
from core.models.stack import Path
from core.results.convolution import ConvolutionParts

if TYPE_CHECKING:
    import torch
    from torch import nn

    from core.models.model import ModelSpec

MAX_NUMBERS = 200_000
"""Numbers of input maps that are sent along (0.8 MB); of larger layers only the channels that add most are."""


def convolution_parts(
    module: "nn.Sequential", spec: "ModelSpec", x: "torch.Tensor", path: Path, channel: int, step: int = 0
) -> ConvolutionParts:
    """All that makes up one output map of the Conv2d at `path`, for one example `x` (1, *input_shape).

    Works on a copy of the module, in evaluation mode.

    Raises:
        NotApplicable: there is no Conv2d.
        SpecError: it has no such output map.
    """
    import torch
    from torch import nn

    quiet = copy.deepcopy(module).eval()
    found = {at: one for at, _, one in placed_layers(spec.layers, quiet)}.get(path)
    if not isinstance(found, nn.Conv2d):
        raise NotApplicable("There is no Conv2d at this place.", hint="Choose one of the Conv2d layers.")
    if channel >= found.out_channels:
        raise SpecError(
            f"This layer has no output map {channel}.", hint=f"Its maps are numbered 0 to {found.out_channels - 1}."
        )
    with torch.inference_mode():
        given, output = _passed(quiet, found, x)
        kernel = found.weight[channel].detach().numpy()  # (C / groups, k, k)
    bias = 0.0 if found.bias is None else float(found.bias[channel].detach())
    per_group = len(kernel)
    first = channel // (found.out_channels // found.groups) * per_group
    inputs = given[first : first + per_group]
    settings = {"stride": found.stride[0], "padding": int(found.padding[0]), "dilation": found.dilation[0]}
    sums = partial_sums(inputs, kernel, **settings)
    own = sums.sum(0) + bias
    shown = _strongest(sums, inputs[0].size)
    hidden = np.setdiff1d(np.arange(per_group), shown)
    return ConvolutionParts(
        layer_name=layer_name(spec.layers, path),
        channel=channel,
        n_channels=found.out_channels,
        inputs=inputs[shown],
        kernels=kernel[shown],
        input_channels=first + shown,
        rest=sums[hidden].sum(0).astype(np.float32),
        n_rest=len(hidden),
        output=output[channel],
        bias=bias,
        has_bias=found.bias is not None,
        largest_difference=float(np.abs(own - output[channel]).max()),
        groups=found.groups,
        n_inputs=found.in_channels,
        step=step,
        **settings,
    )


def partial_sums(inputs: np.ndarray, kernel: np.ndarray, *, stride: int, padding: int, dilation: int) -> np.ndarray:
    """What each input channel adds to the output map: inputs (C, H, W) and kernel (C, k, k) -> (C, H', W') float64."""
    padded = np.pad(inputs.astype(np.float64), ((0, 0), (padding, padding), (padding, padding)))
    side = kernel.shape[-1]
    height, width = ((size - dilation * (side - 1) - 1) // stride + 1 for size in padded.shape[1:])
    sums = np.zeros((len(inputs), height, width))
    for row in range(side):
        for column in range(side):
            top, left = row * dilation, column * dilation
            rows = slice(top, top + stride * (height - 1) + 1, stride)
            columns = slice(left, left + stride * (width - 1) + 1, stride)
            sums += kernel[:, row, column].astype(np.float64)[:, None, None] * padded[:, rows, columns]
    return sums


def _strongest(sums: np.ndarray, size: int) -> np.ndarray:
    """The channels to send, in their order: all, or as many as fit of those that add most."""
    fitting = max(1, MAX_NUMBERS // size)
    order = np.argsort(-np.abs(sums).sum((1, 2)), kind="stable")
    return np.sort(order[:fitting])


def _passed(model: "nn.Module", layer: "nn.Module", x: "torch.Tensor") -> tuple[np.ndarray, np.ndarray]:
    """What the layer received and gave for one example, without the batch axis; the hook is gone afterwards."""
    passed: list[np.ndarray] = []

    def keep(module: "nn.Module", inputs: Any, output: "torch.Tensor") -> None:
        passed.extend((inputs[0][0].detach().float().numpy().copy(), output[0].detach().float().numpy().copy()))

    handle = layer.register_forward_hook(keep)
    try:
        model(x)
    finally:
        handle.remove()
    return passed[0], passed[1]
