"""How regularizers act on the parameters of one model. Lists of tensors in, changed in place."""

from collections.abc import Sequence

import torch
from torch import nn

from core.optim.regularizers import L1, ClipNorm, RegularizerChoice


@torch.no_grad()
def before_step(regularizers: Sequence[RegularizerChoice], parameters: Sequence[torch.Tensor], lr: float) -> None:
    """What happens between the backward pass and the optimizer's step: penalties, clipping, decay, in this order.

    Args:
        parameters: with their gradients in `.grad`.
        lr: the learning rate of this step, for decoupled decay.
    """
    for one in regularizers:
        if isinstance(one, L1):
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad.add_(parameter.sign(), alpha=one.strength)
    for one in regularizers:
        if isinstance(one, ClipNorm):
            nn.utils.clip_grad_norm_(list(parameters), one.limit)  # type: ignore[arg-type]


@torch.no_grad()
def after_step(regularizers: Sequence[RegularizerChoice], parameters: Sequence[torch.Tensor]) -> None:
    """What happens once the optimizer has stepped: limits on the weights."""
