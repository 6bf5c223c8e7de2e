"""How regularizers act on the parameters of one model. Lists of tensors in, changed in place.

Nothing here waits for the device: no number is read back, so that a CUDA graph can hold it all.
"""

from collections.abc import Sequence

import torch
from torch import nn

from core.optim.regularizers import (
    L1,
    L2,
    ClipNorm,
    ClipValue,
    MaxNorm,
    RegularizerChoice,
    WeightAverage,
    WeightDecay,
    in_order,
)


@torch.no_grad()
def before_step(regularizers: Sequence[RegularizerChoice], parameters: Sequence[torch.Tensor], lr: float) -> None:
    """What happens between the backward pass and the optimizer's step: penalties, clipping, decay, in this order.

    Args:
        parameters: with their gradients in `.grad`; those without one are left alone.
        lr: the learning rate of this step, for decoupled decay.
    """
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    for one in in_order(regularizers):
        match one:
            case L1():
                _add(trained, [parameter.sign() for parameter in trained], one.strength)
            case L2():
                _add(trained, trained, one.strength)
            case ClipNorm():
                nn.utils.clip_grad_norm_(trained, one.limit)
            case ClipValue():
                nn.utils.clip_grad_value_(trained, one.limit)
            case WeightDecay():
                for parameter in trained:
                    parameter.mul_(1 - lr * one.strength)


@torch.no_grad()
def after_step(regularizers: Sequence[RegularizerChoice], parameters: Sequence[torch.Tensor]) -> None:
    """What happens once the optimizer has stepped: limits on the weights."""
    for one in regularizers:
        if isinstance(one, MaxNorm):
            for parameter in parameters:
                if parameter.ndim > 1:
                    _limit_rows(parameter, one.limit)


@torch.no_grad()
def average_step(regularizer: WeightAverage, average: nn.Module, model: nn.Module, number: int) -> None:
    """Take the model after step `number` (from 1) into its average, a copy of it made before the first step.

    Parameters are averaged; buffers, such as the running statistics of batch normalisation, are copied.
    """
    share = 1 - regularizer.decay_at(number)
    for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(parameter, share)
    for kept, buffer in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(buffer)


def _add(parameters: Sequence[torch.Tensor], directions: Sequence[torch.Tensor], strength: float) -> None:
    """Add `strength` times each direction to the gradient of its parameter."""
    for parameter, direction in zip(parameters, directions, strict=True):
        if parameter.grad is not None:
            parameter.grad.add_(direction, alpha=strength)


def _limit_rows(weight: torch.Tensor, limit: float) -> None:
    """Shorten what leads into each unit, a slice of the first axis, to an L2 norm of `limit`."""
    rows = weight.flatten(1)  # (units, fan in)
    norms = torch.linalg.vector_norm(rows, dim=1)
    factors = (limit / norms.clamp_min(torch.finfo(norms.dtype).tiny)).clamp_max(1)
    weight.mul_(factors.reshape(-1, *[1] * (weight.ndim - 1)))
