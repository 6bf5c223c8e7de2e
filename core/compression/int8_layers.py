"""Linear and Conv2d whose weights are int8 and whose products are summed as integers.

Weights: symmetric, one scale for each output, w ≈ scale · q with q in [-127, 127]. Inputs: x ≈ scale · (q - zero) with one
scale for all, q in [0, 127]: 7 bits, as torch's own x86 settings have it, since processors without VNNI add pairs of products
in 16 bits and would overflow with 8. The kernels are oneDNN's, which torchao's exported models end in too; they take plain
tensors. Where torch was built without them, the same integers are summed in float64: right, and slow.

Source:
    Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference".
"""

import platform
from typing import Any

import torch
from torch import nn
from torch.nn import functional

WEIGHT_MOST, INPUT_MOST = 127, 127


def has_kernels() -> bool:
    """Whether this machine and this torch sum int8 products fast."""
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return is_x86 and has_onednn and hasattr(torch.ops.onednn, "qlinear_pointwise") and _convolution() is not None


def _convolution() -> Any:
    """The kernel of convolutions, by its present name or the one before."""
    return getattr(torch.ops.onednn, "qconv_pointwise", None) or getattr(torch.ops.onednn, "qconv2d_pointwise", None)


def weight_scales(weight: torch.Tensor) -> torch.Tensor:
    """(outputs,): the largest weight of each output becomes ±127; 1 where all are zero."""
    largest = weight.detach().flatten(1).abs().amax(1)
    return torch.where(largest > 0, largest / WEIGHT_MOST, 1.0)


def input_scale(low: float, high: float) -> tuple[float, int]:
    """Scale and zero of inputs between these ends; 0 is always one of the numbers that are hit exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / INPUT_MOST
    if not scale > 0:
        return 1.0, 0
    return scale, round(-low / scale)


class Int8Layer(nn.Module):
    """What both share. Without a range of inputs (`low`, `high`) each batch is measured anew."""

    weight: torch.Tensor
    weight_scale: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layer: "nn.Linear | nn.Conv2d", span: tuple[float, float] | None) -> None:
        super().__init__()
        self._how = self._settings(layer)
        weight = layer.weight.detach()
        scales = weight_scales(weight)
        rows = scales.reshape(-1, *[1] * (weight.ndim - 1))
        self.register_buffer("weight", (weight / rows).round().clamp(-WEIGHT_MOST, WEIGHT_MOST).to(torch.int8))
        self.register_buffer("weight_scale", scales)
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())
        self.is_static = span is not None
        if span is not None:
            scale, zero = input_scale(*span)
            self.register_buffer("input_scale", torch.tensor(scale, dtype=torch.float64))
            self.register_buffer("input_zero", torch.tensor(zero, dtype=torch.int32))
            self._known = (scale, zero)
        self._weight_zero = torch.zeros(len(scales), dtype=torch.int32)
        self._packed = self._pack() if has_kernels() else None

    def dequantised(self) -> torch.Tensor:
        """The weights as float32."""
        rows = self.weight_scale.reshape(-1, *[1] * (self.weight.ndim - 1))
        return self.weight.float() * rows

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale, zero = self._known if self.is_static else _measured(x)
        q = x.mul(1 / scale).add_(zero).round_().clamp_(0, INPUT_MOST)
        if self._packed is None:
            return self.slowly(q, scale, zero)
        return self._fast(q.to(torch.uint8), scale, zero)

    def slowly(self, q: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
        """The same sums in float64, which holds these integers exactly."""
        sums = self._sums(q.double() - zero, self.weight.double())
        rows = (1, -1, *[1] * (sums.ndim - 2))
        outputs = sums * (self.weight_scale.double() * scale).reshape(rows)
        if self.bias is not None:
            outputs = outputs + self.bias.double().reshape(rows)
        return outputs.float()

    def _settings(self, layer: Any) -> tuple[Any, ...]:
        """What the kernel must know of the layer besides its numbers."""
        return ()

    def _pack(self) -> torch.Tensor:
        raise TypeError(f"{type(self).__name__} must pack its weights")

    def _fast(self, q: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
        raise TypeError(f"{type(self).__name__} must call its kernel")

    def _sums(self, q: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        raise TypeError(f"{type(self).__name__} must sum")


def _measured(x: torch.Tensor) -> tuple[float, int]:
    low, high = torch.aminmax(x)
    return input_scale(float(low), float(high))


class Int8Linear(Int8Layer):
    """(N, F) -> (N, outputs), float32 at both ends."""

    def _pack(self) -> torch.Tensor:
        packed: torch.Tensor = torch.ops.onednn.qlinear_prepack(self.weight, None)
        return packed

    def _fast(self, q: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
        inputs, weights = (q, scale, zero), (self._packed, self.weight_scale, self._weight_zero, self.bias)
        out: torch.Tensor = torch.ops.onednn.qlinear_pointwise(*inputs, *weights, 1.0, 0, torch.float32, "none", [], "")
        return out

    def _sums(self, q: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.linear(q, weight)


class Int8Conv2d(Int8Layer):
    """(N, C, H, W) -> (N, outputs, H', W'), float32 at both ends. Static alone: its kernel wants to know the scale before."""

    def _settings(self, layer: Any) -> tuple[Any, ...]:
        return (list(layer.stride), list(layer.padding), list(layer.dilation), layer.groups)

    def _pack(self) -> torch.Tensor:
        packed: torch.Tensor = torch.ops.onednn.qconv_prepack(self.weight, self.weight_scale, *self._known, *self._how, None)
        return packed

    def _fast(self, q: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
        inputs, weights = (q, scale, zero), (self._packed, self.weight_scale, self._weight_zero, self.bias)
        ends = (1.0, 0, torch.float32, "none", (), "")
        out: torch.Tensor = _convolution()(*inputs, *weights, *self._how, *ends)
        return out

    def _sums(self, q: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        stride, padding, dilation, groups = self._how
        return functional.conv2d(q, weight, None, stride, padding, dilation, groups)
