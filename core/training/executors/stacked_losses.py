"""The loss of many networks at once: one mean over the batch for each, and its gradient at their outputs (S, B, K)."""

from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.optim.losses import CrossEntropy, LossChoice, MultiMargin

backward = torch.ops.aten._log_softmax_backward_data
StackedLoss = Callable[[Tensor, Tensor], tuple[Tensor, Callable[[], Tensor]]]
"""Outputs (S, B, K), and targets of all networks (1, B, ...) or of each (S, B, ...), to losses (S,) and what gives their
gradient at the outputs (S, B, K), asked for at most once."""


def stacked_loss(choice: LossChoice, *, is_small: bool) -> StackedLoss:
    """The stacked form of a loss: cross-entropy written out, all others as autograd differentiates them.

    For small networks few operations matter most; of large ones each loss is computed by itself, to the bits it has alone.
    """
    if type(choice) is CrossEntropy:
        return partial(_cross_entropy, choice.label_smoothing, is_small)
    has_one_form = is_small and not isinstance(choice, MultiMargin)  # torch's hinge cannot be mapped over networks
    return partial(_together if has_one_form else _each, choice.build())


def _cross_entropy(smoothing: float, is_small: bool, output: Tensor, targets: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    s, b, k = output.shape
    if targets.ndim == 3 or smoothing:
        return _shares(smoothing, output, targets)
    logs = torch.log_softmax(output, -1)
    if is_small:
        losses = logs.gather(2, targets.unsqueeze(2).expand(s, b, 1)).sum((1, 2)).div_(-b)
    else:
        losses = torch.stack([functional.nll_loss(row, own) for row, own in zip(logs, targets.expand(s, b), strict=True)])
    shares = _one_hot(k, b, output.device, output.dtype).index_select(0, targets.reshape(-1)).view(*targets.shape, k)
    return losses, lambda: backward(shares.expand(s, b, k).contiguous(), logs, -1, logs.dtype)


def _shares(smoothing: float, output: Tensor, targets: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """Cross-entropy with shares of the classes, or with what smoothing makes of a class."""
    _, b, k = output.shape
    if targets.ndim == 2:
        targets = torch.eye(k, device=output.device, dtype=output.dtype)[targets]
    shares = targets * (1 - smoothing) + smoothing / k
    logs = torch.log_softmax(output, -1)
    losses = (logs * shares).sum((1, 2)).div_(-b)
    return losses, lambda: logs.exp().mul_(shares.sum(-1, keepdim=True)).sub_(shares).div_(b)


@lru_cache(4)
def _one_hot(n_classes: int, n_examples: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(K, K): minus the share of an example in the mean, where the class is right."""
    return torch.eye(n_classes, device=device, dtype=dtype).div_(-n_examples)


def _together(loss: nn.Module, output: Tensor, targets: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    with torch.enable_grad():
        leaf = output.detach().requires_grad_()
        if len(targets) == 1:
            losses = torch.func.vmap(loss, (0, None))(leaf, targets[0])
        else:
            losses = torch.func.vmap(loss)(leaf, targets)
        total = losses.sum()
    return losses.detach(), lambda: torch.autograd.grad(total, leaf)[0]


def _each(loss: nn.Module, output: Tensor, targets: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    with torch.enable_grad():
        leaf = output.detach().requires_grad_()
        own = targets.expand(len(leaf), *targets.shape[1:])
        losses = torch.stack([loss(row, target) for row, target in zip(leaf, own, strict=True)])
        total = losses.sum()
    return losses.detach(), lambda: torch.autograd.grad(total, leaf)[0]
