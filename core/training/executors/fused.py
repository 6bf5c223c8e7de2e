"""torch's fused kernels without torch.optim's walk over groups and states: 6 µs in place of 50 (Adam, six small tensors).

They are private to torch: each is tried once per process, on small tensors, against torch.optim's own step, bit for bit. One
that is gone, is called otherwise or gives other numbers is not used.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

Tensors = list[Tensor]
Update = Callable[[Tensors, float | Tensor], None]
"""One update by the gradients, all in the memory layout of their weights, with a learning rate."""
Make = Callable[[Tensors, list[dict[str, Any]], dict[str, Any], Tensor | None], Update]
"""From weights, their states, the group's numbers, and where an update may be called off (1 in `found_inf`)."""
TRIAL_STEPS = 3


def _moments(decoupled: bool) -> Make:
    def make(weights: Tensors, states: list[dict[str, Any]], group: dict[str, Any], found_inf: Tensor | None) -> Update:
        kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
        means, squares, counts = _slots(states, "exp_avg", "exp_avg_sq", "step")
        largest = _slots(states, "max_exp_avg_sq")[0] if group["amsgrad"] else []

        def update(gradients: Tensors, rate: float | Tensor) -> None:
            _count(counts, found_inf)
            kernel(
                weights,
                gradients,
                means,
                squares,
                largest,
                counts,
                lr=rate,
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=group["amsgrad"],
                maximize=False,
                found_inf=found_inf,
            )

        return update

    return make


def _sgd(weights: Tensors, states: list[dict[str, Any]], group: dict[str, Any], found_inf: Tensor | None) -> Update:
    buffers = _slots(states, "momentum_buffer")[0] if group["momentum"] else []

    def update(gradients: Tensors, rate: float | Tensor) -> None:
        torch._fused_sgd_(
            weights,
            gradients,
            buffers,
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=rate,
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=False,
            is_first_step=False,
            found_inf=found_inf,
        )

    return update


def _adagrad(weights: Tensors, states: list[dict[str, Any]], group: dict[str, Any], found_inf: Tensor | None) -> Update:
    sums, counts = _slots(states, "sum", "step")

    def update(gradients: Tensors, rate: float | Tensor) -> None:
        _count(counts, found_inf)
        torch._fused_adagrad_(
            weights,
            gradients,
            sums,
            counts,
            lr=rate,
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
            found_inf=found_inf,
        )

    return update


MAKES: dict[Callable[..., torch.optim.Optimizer], Make] = {
    torch.optim.SGD: _sgd,
    torch.optim.Adam: _moments(decoupled=False),
    torch.optim.AdamW: _moments(decoupled=True),
    torch.optim.Adagrad: _adagrad,
}


def fused_update(optimizer: torch.optim.Optimizer, found_inf: Tensor | None = None) -> Update | None:
    """The update of a torch optimizer as one kernel call on its own state, or None where there is no such kernel, or it does
    not work, or the optimizer has not made its first step with all of its parameters.

    Args:
        found_inf: a number on the device, (1,) float32; where it is 1, weights and state stay as they are.
    """
    group = optimizer.param_groups[0]
    parameters = group["params"]
    cls: Callable[..., torch.optim.Optimizer] = type(optimizer)
    make = MAKES.get(cls)
    if make is None or len(optimizer.param_groups) > 1 or not group.get("fused"):
        return None
    states = [optimizer.state.get(parameter, {}) for parameter in parameters]
    if not is_ready(optimizer, states) or not is_right(cls, parameters[0].device.type):
        return None
    return make([parameter.detach() for parameter in parameters], states, group, found_inf)


def is_ready(optimizer: torch.optim.Optimizer, states: Sequence[dict[str, Any]]) -> bool:
    """Whether every parameter has the state that an update needs."""
    is_stateless = isinstance(optimizer, torch.optim.SGD) and not optimizer.param_groups[0]["momentum"]
    return is_stateless or all(_is_complete(state) for state in states)


def _is_complete(state: dict[str, Any]) -> bool:
    return bool(state) and all(value is not None for value in state.values())


@lru_cache
def is_right(cls: Callable[..., torch.optim.Optimizer], device_type: str) -> bool:
    """Whether the kernel, called directly, gives bit for bit what torch.optim gives."""
    settings: dict[str, Any] = {"momentum": 0.5, "nesterov": True} if cls is torch.optim.SGD else {}
    ours, theirs = (_trial_weights(device_type) for _ in range(2))
    try:
        optimizers = [cls(weights, lr=0.1, weight_decay=0.01, fused=True, **settings) for weights in (ours, theirs)]
        update: Update | None = None
        for step in range(TRIAL_STEPS):
            gradients = [(weight.detach() * (step + 3)).sin() for weight in ours]
            for weights, optimizer in zip((ours, theirs), optimizers, strict=True):
                if weights is theirs or update is None:
                    _torch_step(optimizer, weights, gradients)
                else:
                    update(gradients, 0.1)
            update = update or MAKES[cls](
                [weight.detach() for weight in ours],
                [optimizers[0].state[weight] for weight in ours],
                optimizers[0].param_groups[0],
                None,
            )
    except (AttributeError, TypeError, RuntimeError):
        return False
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def _trial_weights(device_type: str) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.linspace(-1, 1, n, device=device_type)) for n in (3, 19)]


def _torch_step(optimizer: torch.optim.Optimizer, weights: Sequence[torch.nn.Parameter], gradients: Tensors) -> None:
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    optimizer.step()


def _slots(states: list[dict[str, Any]], *names: str) -> tuple[Tensors, ...]:
    return tuple([state[name] for state in states] for name in names)


def _count(counts: Tensors, found_inf: Tensor | None) -> None:
    """One step more for each, unless it is called off."""
    torch._foreach_add_(counts, 1)
    if found_inf is not None:
        torch._foreach_sub_(counts, [found_inf.reshape(())] * len(counts))
