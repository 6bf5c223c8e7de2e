"""How the tensors of a built layer start anew."""

from collections.abc import Callable

import torch
from torch import nn

Starter = Callable[[torch.Tensor], object]
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def start(layer: nn.Module, weights: Starter | None = None, biases: Starter | None = None) -> None:
    """Start the weights and biases of a layer anew, in place and in order.

    Single vectors, normalisations, and the padding of an Embedding stay as they are.
    """
    for part in layer.modules():
        if isinstance(part, NORMALISATIONS):
            continue
        for name, tensor in part.named_parameters(recurse=False):
            if weights is not None and "weight" in name and tensor.ndim >= 2:
                weights(tensor)
            elif biases is not None and "bias" in name:
                biases(tensor)
        if isinstance(part, nn.Embedding) and part.padding_idx is not None:
            with torch.no_grad():
                part.weight[part.padding_idx] = 0.0
