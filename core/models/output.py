"""What the last layer gives, read as probabilities."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def ends_with_softmax(module: "nn.Module") -> bool:
    """Whether the output of a stack is probabilities already."""
    from torch import nn

    children = list(module.children())
    return bool(children) and isinstance(children[-1], nn.Softmax)


def class_probabilities(module: "nn.Module", output: "torch.Tensor") -> "torch.Tensor":
    """Probabilities (N, K) from the output (N, K) of a stack: its softmax, or itself where the stack ends with a Softmax."""
    return output if ends_with_softmax(module) else output.softmax(1)
