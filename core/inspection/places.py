"""Finding the torch module of a layer by its place in the stack."""

from typing import TYPE_CHECKING

from core.models.stack import Path

if TYPE_CHECKING:
    from torch import nn


def module_at(stack: "nn.Sequential", path: Path) -> "nn.Module":
    """The module of the layer at `path`, as `core.models.model.layer_at` is its choice."""
    from core.models.modules.branches import Parallel, Residual

    module: nn.Module = stack[path[0]]
    if len(path) == 1:
        return module
    if isinstance(module, Residual):
        inner = module.inner
    elif isinstance(module, Parallel):
        inner = module.branches[path[1]]
    else:
        raise TypeError(f"{type(module).__name__} holds no layers")
    return module_at(inner, path[2:])  # type: ignore[arg-type]  # a container holds stacks
