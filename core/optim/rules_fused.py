"""torch's fused kernels, called without torch.optim around them: one pass over memory for each weight tensor.

They are private to torch, so each is tried on a small tensor against the same rule written out, once per process; one that is
gone, called otherwise or gives other numbers is not used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.optim.optimizer import OptimizerChoice
from core.optim.rules import SCALED
from core.optim.rules_group import Block, Group
from core.optim.rules_menu import Numbers, rule_for

TRIAL_STEPS, TRIAL_TOLERANCE = 3, 1e-6

Arguments = Mapping[str, Any]
Tensors = list[Tensor]


class Parts(NamedTuple):
    """What a kernel works on, a tensor for each block; `steps` are counts, all the same tensor."""

    weights: Tensors
    gradients: Tensors
    first: Tensors
    second: Tensors
    steps: Tensors


Kernel = Callable[[Parts, float, Arguments], None]
"""Parts, learning rate, and the arguments of torch's class."""


def _sgd(parts: Parts, lr: float, a: Arguments) -> None:
    torch._fused_sgd_(
        parts.weights,
        parts.gradients,
        parts.first if a["momentum"] else [],
        weight_decay=a["weight_decay"],
        momentum=a["momentum"],
        lr=lr,
        dampening=0.0,
        nesterov=a["nesterov"],
        maximize=False,
        is_first_step=False,
    )


def _moments(kernel: Callable[..., None], parts: Parts, lr: float, a: Arguments) -> None:
    weights, gradients, first, second, steps = parts
    beta1, beta2 = a["betas"]
    kernel(
        weights,
        gradients,
        first,
        second,
        [],
        steps,
        lr=lr,
        beta1=beta1,
        beta2=beta2,
        weight_decay=a["weight_decay"],
        eps=a["eps"],
        amsgrad=False,
        maximize=False,
    )


def _adam(parts: Parts, lr: float, a: Arguments) -> None:
    _moments(torch._fused_adam_, parts, lr, a)


def _adamw(parts: Parts, lr: float, a: Arguments) -> None:
    _moments(torch._fused_adamw_, parts, lr, a)


def _rmsprop(parts: Parts, lr: float, a: Arguments) -> None:
    """Torch has no fused kernel: its own operations, in its order; the first state is scratch space."""
    for weight, gradient, scratch, square in zip(*parts[:4], strict=True):
        if a["weight_decay"]:
            gradient.add_(weight, alpha=a["weight_decay"])
        square.mul_(a["alpha"]).addcmul_(gradient, gradient, value=1 - a["alpha"])
        weight.addcdiv_(gradient, torch.sqrt(square, out=scratch).add_(a["eps"]), value=-lr)


def _adagrad(parts: Parts, lr: float, a: Arguments) -> None:
    numbers = {name: a[name] for name in ("lr_decay", "weight_decay", "eps")}
    torch._fused_adagrad_(parts.weights, parts.gradients, parts.second, parts.steps, lr=lr, maximize=False, **numbers)


_KERNELS: dict[str, Kernel] = {"sgd": _sgd, "adam": _adam, "adamw": _adamw, "rmsprop": _rmsprop, "adagrad": _adagrad}


class FusedGroup(Group):
    """A group of one member, whose step is one fused kernel call."""

    def __init__(self, optimizer: OptimizerChoice, blocks: Sequence[Block]) -> None:
        super().__init__([optimizer], blocks)
        self._kernel = _KERNELS[optimizer.kind]
        self._step = torch.tensor(0.0)
        self._parts = Parts(
            [p[0] for p, _ in self.blocks],
            [g[0] for _, g in self.blocks],
            [state[0][0] for state in self.state],
            [state[1][0] for state in self.state],
            [self._step] * len(self.blocks),
        )
        self._rates: list[float] = []

    def look_ahead(self, rates: Numbers) -> None:
        """As in Group."""
        self.settle()
        self._step.fill_(self.members[0].count)
        self._rates = rates[:, 0].tolist()
        self._at = self._settled = 0

    def step(self) -> None:
        """As in Group."""
        self._step.add_(1)
        self._kernel(self._parts, self._rates[self._at], self.members[0].arguments)
        self._at += 1


def group_of_one(optimizer: OptimizerChoice, blocks: Sequence[Block]) -> Group:
    """The fastest group for one series: fused where torch has a kernel that gives the numbers of the rule."""
    is_cpu = all(p.device.type == "cpu" for p, _ in blocks)
    return FusedGroup(optimizer, blocks) if is_cpu and has_kernel(optimizer) else Group([optimizer], blocks)


def has_kernel(optimizer: OptimizerChoice) -> bool:
    """Whether torch has a fused kernel for this optimizer as it is set, and it works."""
    rule = rule_for(optimizer)
    if rule is None or rule.family is not SCALED or optimizer.kind not in _KERNELS:
        return False
    if optimizer.arguments().get("dampening"):
        return False
    return _is_right(type(optimizer), optimizer.kind == "sgd" and bool(optimizer.arguments()["momentum"]))


@lru_cache
def _is_right(cls: type[OptimizerChoice], has_momentum: bool) -> bool:
    numbers: dict[str, Any] = {"weight_decay": 0.01} | ({"momentum": 0.5} if has_momentum else {})
    optimizer = cls(**numbers)
    results = []
    try:
        for is_fused in (True, False):
            block = (torch.linspace(-1, 1, 19)[None].clone(), torch.empty(1, 19))
            group = FusedGroup(optimizer, [block]) if is_fused else Group([optimizer], [block])
            group.look_ahead(np.full((TRIAL_STEPS, 1), 0.01))
            for turn in range(TRIAL_STEPS):
                block[1].copy_((block[0] * (turn + 3)).sin_())
                group.step()
            results.append(block[0])
    except (AttributeError, TypeError, RuntimeError):
        return False
    return bool((results[0] - results[1]).abs().max() < TRIAL_TOLERANCE)
