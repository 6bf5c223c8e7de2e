"""The layers of a live model by the names that the screen gives them, and where numbers in it stop being finite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.models.layer import LayerChoice
from core.models.layers.menu import AnyLayer
from core.models.model import layer_name
from core.models.placed import inner_stacks, placed_layers
from core.models.stack import Path

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A layer with its module."""

    path: Path
    name: str
    """As the screen names it: `Layer 3 Linear`."""
    layer: LayerChoice
    module: nn.Module
    weights: tuple[tuple[str, nn.Parameter], ...]
    """Its trained matrices and kernels, by name in the whole model. A container's are those of its projection."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Where numbers stop being finite: at `what` (input, weights, output, gradient or loss) of the layer of this name."""

    what: str
    name: str = ""
    """Empty for input and loss."""
    largest: float = 0.0
    """The largest size among the numbers that came in."""


def parts_of(layers: Sequence[AnyLayer], model: nn.Module) -> list[Part]:
    """Every layer in the order of the stack, containers before what they hold."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = []
    for path, layer, module in placed_layers(layers, model):
        inside = {id(one) for inner in inner_stacks(module) for one in inner.parameters()}
        own = [one for one in module.parameters() if one.requires_grad and one.ndim > 1 and id(one) not in inside]
        weights = tuple((names[id(one)], one) for one in own)
        found.append(Part(path, f"Layer {layer_name(layers, path)}", layer, module, weights))
    return found


def first_broken(model: nn.Module, parts: Sequence[Part], loss: nn.Module, batch: Batch) -> Broken | None:
    """The first place where a number is not finite as the batch runs forward, then backward; None if there is none.

    Runs the model as it is: give a copy.
    """
    x, y = batch
    if x.is_floating_point() and not _is_finite(x):
        return Broken("input")
    for part in parts:
        if not all(_is_finite(one) for _, one in part.weights):
            return Broken("weights", part.name)
    passed: list[tuple[Part, torch.Tensor, torch.Tensor]] = []
    handles = [part.module.register_forward_hook(_keeper(part, passed)) for part in parts]
    try:
        value = loss(model(x).float(), y)
    finally:
        for handle in handles:
            handle.remove()
    for part, given, output in passed:
        if not _is_finite(output):
            return Broken("output", part.name, _largest(given))
    if not _is_finite(value):
        return Broken("loss", largest=_largest(passed[-1][2]) if passed else 0.0)
    return _broken_backward(passed, value)


def _keeper(part: Part, passed: list[tuple[Part, torch.Tensor, torch.Tensor]]) -> Any:
    def keep(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        passed.append((part, inputs[0], output))

    return keep


def _broken_backward(passed: list[tuple[Part, torch.Tensor, torch.Tensor]], value: torch.Tensor) -> Broken | None:
    """The layer whose backward pass makes the first number that is not finite: backward starts at the end."""
    for part, given, output in reversed(passed):
        wanted = [one for one in (given, *(weights for _, weights in part.weights)) if one.requires_grad]
        gradients = torch.autograd.grad(value, wanted, retain_graph=True, allow_unused=True) if wanted else ()
        if not all(_is_finite(one) for one in gradients if one is not None):
            return Broken("gradient", part.name, _largest(output))
    return None


def _is_finite(values: torch.Tensor) -> bool:
    return bool(torch.isfinite(values).all())


def _largest(values: torch.Tensor) -> float:
    finite = values.detach().float().abs().nan_to_num(0.0, 0.0, 0.0)
    return finite.max().item() if values.numel() else 0.0
