"""The same network in a faster order and memory layout. Modules, their names and `model(x)` stay as they are."""

from collections.abc import Callable, Iterator

import torch
from torch import nn

from core.models.modules.frozen import PartlyFrozen

Stage = Callable[[torch.Tensor], torch.Tensor]
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
FRESH = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool2d)
"""Their outputs are tensors of their own that no backward pass looks at again: ReLU may overwrite them."""


def to_channels_last(model: nn.Module) -> None:
    """Kernels of convolutions in the memory order in which convolution and pooling are fastest; the numbers stay the same.

    Without convolutions of pictures nothing changes.
    """
    if any(isinstance(module, CONVOLUTIONS) for module in model.modules()):
        model.to(memory_format=torch.channels_last)


def fast_forward(model: nn.Module) -> Stage:
    """A function that gives what `model(x)` gives in training mode, the same bits, with the same gradients.

    A monotone activation and the max pooling behind it change places, since the largest of f(a), f(b) is f of the larger: the
    activation then works on a quarter of the numbers. ReLU overwrites what it gets where nobody else needs it. Hooks that are
    set later are not heard here; `model(x)` hears them.
    """
    stages: tuple[Stage, ...] = tuple(_stages(swapped(list(_flat(model)))))
    if len(stages) == 1:
        return stages[0]

    def forward(x: torch.Tensor) -> torch.Tensor:
        for stage in stages:
            x = stage(x)
        return x

    return forward


def swapped(modules: list[nn.Module]) -> list[nn.Module]:
    """These modules in a row, with poolings before the activations that they follow. A pair alone changes places: behind the
    pooling the activation stands where a second pooling finds it again."""
    order = list(modules)
    for index in range(1, len(order)):
        at = index
        while at and isinstance(order[at], POOLS) and not _is_watched(order[at]) and _is_monotone(order[at - 1]):
            order[at - 1], order[at] = order[at], order[at - 1]
            at -= 1
    return order


def _is_monotone(module: nn.Module) -> bool:
    """Whether a never gives more than b where a <= b, and only what passes no gradient gives equal numbers for unequal ones:
    exactly, in floating-point numbers too. Tanh errs in its last bit, and LeakyReLU rounds: they have to stay."""
    return type(module) in (nn.ReLU, nn.ReLU6, nn.Hardtanh) and not _is_watched(module)


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that a chain of chains calls one after the other."""
    if type(module) not in (nn.Sequential, PartlyFrozen) or _is_watched(module):
        yield module
        return
    for child in module.children():
        yield from _flat(child)


def _stages(modules: list[nn.Module]) -> Iterator[Stage]:
    before: nn.Module | None = None
    for module in modules:
        if type(module) is nn.ReLU and not _is_watched(module) and type(before) in FRESH:
            yield torch.relu_
        elif _is_watched(module):
            yield module
        else:
            yield module.forward
        before = module


def _is_watched(module: nn.Module) -> bool:
    """Whether hooks listen to it: it must then be called as a whole, where it stands."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks)
