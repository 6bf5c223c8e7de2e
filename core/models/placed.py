"""The layers of a live model beside what they were made from, those inside containers too."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.models.layer import LayerChoice
from core.models.stack import Path

if TYPE_CHECKING:
    from torch import nn


def placed_layers(layers: Sequence[Any], model: "nn.Module") -> "Iterator[tuple[Path, LayerChoice, nn.Module]]":
    """Every layer with its path and its module, in the order of the stack, containers before what they hold."""
    yield from _placed(layers, model, ())


def module_at(stack: "nn.Module", path: Path) -> "nn.Module":
    """The module of the layer at `path`, as `core.models.model.layer_at` is its choice."""
    module: nn.Module = stack[path[0]]  # type: ignore[index]  # a stack is an nn.Sequential
    return module if len(path) == 1 else module_at(inner_stacks(module)[path[1]], path[2:])


def inner_stacks(module: "nn.Module") -> "tuple[nn.Module, ...]":
    """The stacks that a container holds, one per branch; none of any other layer."""
    from core.models.modules.branches import Parallel, Residual

    if isinstance(module, Residual):
        return (module.inner,)
    return tuple(module.branches) if isinstance(module, Parallel) else ()


def _placed(layers: Sequence[Any], modules: Any, at: Path) -> "Iterator[tuple[Path, LayerChoice, nn.Module]]":
    for index, (layer, module) in enumerate(zip(layers, modules, strict=True)):
        yield (*at, index), layer, module
        for branch, (inside, inner) in enumerate(zip(layer.inner(), inner_stacks(module), strict=True)):
            yield from _placed(inside, inner, (*at, index, branch))
