"""A copy of a model that is safe to explain."""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def prepared_model(module: "nn.Module") -> "nn.Module":
    """A copy of `module` in evaluation mode, frozen, without hooks and without in-place layers; `module` stays as it is.

    The libraries hook the model, switch its mode and can leave hooks behind when they fail, so none may see the live one.
    """
    prepared = copy.deepcopy(module).eval()
    for layer in prepared.modules():
        if getattr(layer, "inplace", False):
            setattr(layer, "inplace", False)  # noqa: B010 - only some layers declare it
        # A copied hook would still report to whoever watches the live model.
        layer._forward_hooks.clear()
        layer._forward_pre_hooks.clear()
        layer._backward_hooks.clear()
        layer._backward_pre_hooks.clear()
    for parameter in prepared.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    return prepared
