"""The layers of a live model beside what they were made from, those inside containers too."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.models.layer import LayerChoice
from core.models.model import layer_number
from core.models.stack import Path

if TYPE_CHECKING:
    from torch import nn


def placed_layers(layers: Sequence[Any], model: "nn.Module") -> "Iterator[tuple[Path, LayerChoice, nn.Module]]":
    """Every layer with its path and its module, in the order of the stack, containers before what they hold."""
    yield from _placed(layers, model, ())


def layer_name(layers: Sequence[Any], path: Path) -> str:
    """`3 Conv2d`, or inside a container `4.2 ReLU`."""
    layer: Any = layers[path[0]]
    for branch, index in zip(path[1::2], path[2::2], strict=True):
        layer = layer.inner()[branch][index]
    return f"{layer_number(layers, path)} {layer.kind}"


def _placed(layers: Sequence[Any], modules: Any, at: Path) -> "Iterator[tuple[Path, LayerChoice, nn.Module]]":
    for index, (layer, module) in enumerate(zip(layers, modules, strict=True)):
        yield (*at, index), layer, module
        for branch, (inside, inner) in enumerate(zip(layer.inner(), _branches(module), strict=True)):
            yield from _placed(inside, inner, (*at, index, branch))


def _branches(module: "nn.Module") -> "tuple[nn.Module, ...]":
    from core.models.modules.branches import Parallel, Residual

    if isinstance(module, Residual):
        return (module.inner,)
    return tuple(module.branches) if isinstance(module, Parallel) else ()
