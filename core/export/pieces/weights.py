"""What happens to weights beside the optimizer, as in core/optim/penalties.py to the last bit."""

import torch
from torch import nn


@torch.no_grad()
def limit_rows(parameters: list[torch.Tensor], limit: float) -> None:
    """Shorten what leads into each unit, a slice of the first axis, to an L2 norm of `limit`."""
    for weight in parameters:
        if weight.ndim > 1:
            norms = torch.linalg.vector_norm(weight.flatten(1), dim=1)  # one per unit
            factors = (limit / norms.clamp_min(torch.finfo(norms.dtype).tiny)).clamp_max(1)
            weight.mul_(factors.reshape(-1, *[1] * (weight.ndim - 1)))


@torch.no_grad()
def average_in(average: nn.Module, model: nn.Module, step: int, decay: float) -> None:
    """Take the weights after a step into their running mean, which is short at first."""
    share = 1 - min(decay, (1 + step) / (10 + step))
    for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(parameter, share)
    for kept, buffer in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(buffer)


class LBFGS(torch.optim.LBFGS):
    """torch's, for kernels of convolutions in channels-last memory too."""

    def _gather_flat_grad(self) -> torch.Tensor:
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._params]
        return torch.cat([gradient.reshape(-1) for gradient in gradients])
