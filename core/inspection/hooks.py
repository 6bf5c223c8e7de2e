"""Listening to the layers of a model while it runs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@contextmanager
def captured_outputs(layers: Iterable["nn.Module"]) -> Iterator[list["torch.Tensor"]]:
    """A list that fills with the outputs of `layers` in the order in which they run; the hooks are gone afterwards.

    Outputs are copies: a layer that works in place (ReLU) would otherwise change what its predecessor gave.
    """
    outputs: list[torch.Tensor] = []

    def keep(layer: "nn.Module", inputs: Any, output: "torch.Tensor") -> None:
        outputs.append(output.detach().clone())

    # A layer that stands in the stack twice is hooked once, and speaks twice.
    handles = [layer.register_forward_hook(keep) for layer in {id(layer): layer for layer in layers}.values()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
