"""Layers of many equal networks at once, forward and backward written out: activations are (S, B, F), one slice per network.

Each gives what torch's own layer and autograd give for every network by itself, up to the last bits of a matrix product.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

aten = torch.ops.aten


class StackedLayer(Protocol):
    """One layer. `backward` is called once after each `forward` and leaves the gradients of its weights in `gradients`."""

    gradients: Sequence[Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """(S, B, F) -> (S, B, K). The input may be overwritten."""

    def backward(self, dy: Tensor) -> Tensor:
        """The gradient of the input from that of the output, which may be overwritten."""


class Linear:
    """Weights (S, out, in) and biases (S, out). `targets` are where the gradients go; without them, into fresh memory."""

    def __init__(self, weights: Sequence[Tensor], targets: Sequence[Tensor] | None) -> None:
        self.weight = weights[0]
        self.turned = self.weight.transpose(1, 2)
        self.bias = weights[1].unsqueeze(1) if len(weights) == 2 else None
        self.targets: Sequence[Tensor | None] = targets or [None, None]
        self.gradients: Sequence[Tensor] = ()

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.x = x
        return torch.bmm(x, self.turned) if self.bias is None else torch.baddbmm(self.bias, x, self.turned)

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.last(dy)
        return torch.bmm(dy, self.weight)

    def last(self, dy: Tensor) -> None:
        """As `backward`, where nobody needs the gradient of the input."""
        weight = torch.bmm(dy.transpose(1, 2), self.x, out=self.targets[0])
        self.gradients = (weight,) if self.bias is None else (weight, torch.sum(dy, 1, out=self.targets[1]))


class LargeLinear(Linear):
    """A Linear with a matrix product for each network, the very ones that torch makes for it alone: the same bits.

    `inputs` says which of the inputs (R, B, in) each network gets, where they are shared; None where each has its own.
    """

    def __init__(self, weights: Sequence[Tensor], targets: Sequence[Tensor], inputs: Sequence[int] | None) -> None:
        super().__init__(weights, targets)
        self.inputs = range(len(self.weight)) if inputs is None else inputs
        self._turned = self.turned.unbind(0)
        self._weights = self.weight.unbind(0)
        self._biases = () if self.bias is None else weights[1].unbind(0)
        self._gradient = targets[0]
        self._gradients = self._gradient.unbind(0)
        self._y = self._dx = self.weight.new_empty(0, 0, 0)

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer; shared inputs are (R, B, in). The output is overwritten by the next call."""
        each = x.unbind(0)
        self._x = [each[index] for index in self.inputs]
        if self._y.shape[1] != x.shape[1]:
            self._y = x.new_empty(len(self.weight), x.shape[1], self.weight.shape[1])
        if self.bias is None:
            for own, turned, y in zip(self._x, self._turned, self._y.unbind(0), strict=True):
                torch.mm(own, turned, out=y)
        else:
            for own, turned, bias, y in zip(self._x, self._turned, self._biases, self._y.unbind(0), strict=True):
                torch.addmm(bias, own, turned, out=y)
        return self._y

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.last(dy)
        if self._dx.shape[1] != dy.shape[1]:
            self._dx = dy.new_empty(*dy.shape[:2], self.weight.shape[2])
        for own, weight, dx in zip(dy.unbind(0), self._weights, self._dx.unbind(0), strict=True):
            torch.mm(own, weight, out=dx)
        return self._dx

    def last(self, dy: Tensor) -> None:
        """As in Linear."""
        for own, x, out in zip(dy.unbind(0), self._x, self._gradients, strict=True):
            torch.mm(own.t(), x, out=out)
        weight = self._gradient
        self.gradients = (weight,) if self.bias is None else (weight, torch.sum(dy, 1, out=self.targets[1]))


class Direct:
    """An activation whose slope is known from its output."""

    gradients: Sequence[Tensor] = ()

    def __init__(self, bend: Callable[[Tensor], Tensor], slope: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.bend = bend
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.y = self.bend(x)
        return self.y

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        return self.slope(dy, self.y)


class Traced:
    """An activation without weights as autograd differentiates it."""

    gradients: Sequence[Tensor] = ()

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        with torch.enable_grad():
            self.x = x.detach().requires_grad_()
            self.y = self.function(self.x)
        return self.y.detach()

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        return torch.autograd.grad(self.y, self.x, dy)[0]


class Dropout:
    """Multiplies with `mask` (S, B, F) or (1, B, F), which is set before each forward pass."""

    gradients: Sequence[Tensor] = ()
    mask: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        return x * self.mask

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        return dy * self.mask


class BatchNorm1d:
    """torch's own kernel over S · F features; running statistics are `buffers`: mean (S, F), variance (S, F), count (S,)."""

    def __init__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], momentum: float, eps: float) -> None:
        self.weight, self.bias = weights
        self.mean, self.variance, self.count = buffers
        self.momentum, self.eps = momentum, eps
        self.gradients: Sequence[Tensor] = ()

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        s, b, f = x.shape
        self.x = x.transpose(0, 1).reshape(b, s * f)
        self.scale = self.weight.reshape(-1)
        self.count.add_(1)
        running = (self.mean.view(-1), self.variance.view(-1))
        y, self.centre, self.spread = torch.native_batch_norm(
            self.x, self.scale, self.bias.reshape(-1), *running, True, self.momentum, self.eps
        )
        return y.view(b, s, f).transpose(0, 1)

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        s, b, f = dy.shape
        flat = dy.transpose(0, 1).reshape(b, s * f)
        dx, weight, bias = aten.native_batch_norm_backward(
            flat, self.x, self.scale, None, None, self.centre, self.spread, True, self.eps, [True, True, True]
        )
        self.gradients = (weight.view(s, f), bias.view(s, f))
        stacked: Tensor = dx.view(b, s, f).transpose(0, 1)
        return stacked


class LargeBatchNorm1d(BatchNorm1d):
    """torch's own kernel for each network by itself: the same bits, also where a bias before it has no true gradient."""

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.x = x
        self.count.add_(1)
        rows = zip(x, self.weight, self.bias, self.mean, self.variance, strict=True)
        made = [torch.native_batch_norm(*row, True, self.momentum, self.eps) for row in rows]
        self._saved = [(centre, spread) for _, centre, spread in made]
        return torch.stack([y for y, _, _ in made])

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        rows = zip(dy, self.x, self.weight, self._saved, strict=True)
        every = [True, True, True]
        made = [
            aten.native_batch_norm_backward(own, x, weight, None, None, *saved, True, self.eps, every)
            for own, x, weight, saved in rows
        ]
        dx, weight, bias = (torch.stack(parts) for parts in zip(*made, strict=True))
        self.gradients = (weight, bias)
        return dx


class LayerNorm:
    """torch's own kernel over the features, then scale and shift of each network."""

    def __init__(self, weights: Sequence[Tensor], eps: float) -> None:
        self.weight, self.bias = (weight.unsqueeze(1) for weight in weights)
        self.eps = eps
        self.gradients: Sequence[Tensor] = ()

    def forward(self, x: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.x = x
        self.y, self.centre, self.spread = torch.native_layer_norm(x, x.shape[-1:], None, None, self.eps)
        return torch.addcmul(self.bias, self.y, self.weight)

    def backward(self, dy: Tensor) -> Tensor:
        """As in StackedLayer."""
        self.gradients = ((dy * self.y).sum(1), dy.sum(1))
        mask = [True, False, False]
        dx: Tensor = aten.native_layer_norm_backward(
            dy * self.weight, self.x, self.x.shape[-1:], self.centre, self.spread, None, None, mask
        )[0]
        return dx


def activation(module: nn.Module) -> StackedLayer:
    """The stacked form of an activation without weights."""
    if isinstance(module, nn.ReLU):
        slope = aten.threshold_backward.grad_input
        return Direct(torch.relu_, lambda dy, y: slope(dy, y, 0, grad_input=dy))
    if isinstance(module, nn.Tanh):
        return Direct(torch.tanh_, aten.tanh_backward.default)
    if isinstance(module, nn.Sigmoid):
        return Direct(torch.sigmoid_, aten.sigmoid_backward.default)
    if isinstance(module, nn.Softmax):
        return Traced(lambda x: functional.softmax(x, -1))
    if isinstance(module, nn.LogSoftmax):
        return Traced(lambda x: functional.log_softmax(x, -1))
    return Traced(module)
