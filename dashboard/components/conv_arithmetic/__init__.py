"""A convolution, number by number: the kernel slides over its input, and everything that makes up the output is shown."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from core.results.convolution import ConvolutionParts
from dashboard.components.shared import declare
from dashboard.text import _

_component = declare("conv_arithmetic")

Palettes = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Evenly spaced colours on a light and on a dark page: "signed" from negative over 0 to positive, "unsigned" from 0 up."""


def conv_arithmetic(parts: ConvolutionParts, *, key: str, palettes: Palettes) -> None:
    """Show how one output map comes about. The browser does the sums itself, and holds them against the hooked output."""
    arrays = {name: _base64(getattr(parts, name)) for name in ("inputs", "kernels", "rest", "output")}
    data = {
        **arrays,
        "name": parts.layer_name,
        "channels": parts.input_channels.tolist(),
        "n_inputs": parts.n_inputs,
        "n_rest": parts.n_rest,
        "rows": parts.inputs.shape[1],
        "columns": parts.inputs.shape[2],
        "side": parts.kernels.shape[-1],
        "height": parts.output.shape[0],
        "width": parts.output.shape[1],
        "stride": parts.stride,
        "padding": parts.padding,
        "dilation": parts.dilation,
        "bias": parts.bias,
        "has_bias": parts.has_bias,
        "digest": hashlib.sha256(f"{parts.layer_name}{parts.channel}{arrays}".encode()).hexdigest()[:16],
        "palettes": palettes,
        "texts": _texts(parts),
    }
    _component(key=key, data=data)


def _base64(values: np.ndarray) -> str:
    """Little-endian float32, as every browser reads it."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def _texts(parts: ConvolutionParts) -> dict[str, str]:
    return {
        "output": _("Output map {channel}: point here, or use the arrow keys").format(channel=parts.channel),
        "input": _("Input channel {channel} of {n}, with its padding"),
        "patch": _("Input under the kernel"),
        "kernel": _("Kernel of this channel"),
        "product": _("Products"),
        "sums": _("What each input channel adds"),
        "channel": _("channel {channel}"),
        "others": _("{n} others"),
        "adds": _("Products: channel {channel} adds {sum}"),
        "total": _("Output at this place"),
        "sum": _("sum over the channels"),
        "bias": _("bias"),
        "no_bias": _("no bias"),
        "computed": _("computed here"),
        "hooked": _("given by the layer"),
        "difference": _("difference"),
        "read": _("Row {row}, column {column}: {sum} from the channels, {bias} bias, together {value}."),
        "read_without": _("Row {row}, column {column}: {value}, the sum over the channels."),
    }
