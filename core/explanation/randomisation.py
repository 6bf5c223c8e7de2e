"""The weight-randomisation test: an explanation of what was learned must change when what was learned is taken away.

Source: Adebayo et al. 2018, "Sanity Checks for Saliency Maps": cascading randomisation, from the outputs down.
"""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def learning_layers(module: "nn.Module") -> "list[nn.Module]":
    """The layers that own weights, from the input to the output."""
    return [layer for layer in module.modules() if any(True for _ in layer.parameters(recurse=False))]


def cascade(n_layers: int) -> tuple[int, ...]:
    """How many layers from the top are drawn anew: one, half of them, all."""
    return tuple(sorted({1, -(-n_layers // 2), n_layers})) if n_layers else ()


def unlearned(module: "nn.Module", n: int, seed: int) -> "nn.Module":
    """A copy whose last `n` layers with weights are as untrained; global random state stays as it is.

    A layer that cannot reset itself (places of tokens, attention) has its weights shuffled, so that their sizes stay.
    """
    import torch

    copied = copy.deepcopy(module)
    layers = learning_layers(copied)[::-1][:n]
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.no_grad():
        torch.manual_seed(seed)
        for layer in layers:
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for parameter in layer.parameters(recurse=False):
                shuffled = parameter.flatten()[torch.randperm(parameter.numel())]
                parameter.copy_(shuffled.reshape(parameter.shape))
    return copied
