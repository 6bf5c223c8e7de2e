"""Which numbers belong to which layer, their norms, and what a backward pass over fixed examples leaves in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

    Batch = tuple[torch.Tensor, torch.Tensor]
See = Callable[[int, "torch.Tensor"], None]
"""Gets the number of a layer and what it gave for some of the examples."""


def own_parameters(layers: Sequence["nn.Module"]) -> "list[list[tuple[str, nn.Parameter]]]":
    """The parameters that each layer itself has, with their names in it; of layers inside of others, only the inner ones have
    them. `layers` stand as in a stack, containers before what they hold."""
    owner: dict[int, int] = {}
    for number, layer in enumerate(layers):
        owner |= {id(parameter): number for parameter in layer.parameters()}
    return [
        [(name, one) for name, one in layer.named_parameters() if owner[id(one)] == number]
        for number, layer in enumerate(layers)
    ]


def norm(tensors: "Iterable[torch.Tensor | None]") -> float:
    """L2 norm over all numbers of some tensors in float64; NaN where there are none."""
    squares = [float(one.detach().double().square().sum()) for one in tensors if one is not None]
    return float(np.sqrt(sum(squares))) if squares else float("nan")


def backward(model: "nn.Module", loss: "nn.Module", parts: "Iterable[Batch]", layers: "Sequence[nn.Module]", see: See) -> float:
    """Mean loss over all examples of `parts`; its gradient is in `.grad` of the parameters afterwards.

    The model runs in evaluation mode. Give a copy: it keeps the gradients.
    """
    model.eval().zero_grad(set_to_none=True)
    parts = list(parts)
    n, total = sum(len(y) for _, y in parts), 0.0
    with _seen(layers, see):
        for x, y in parts:
            mean = loss(model(x).float(), y) * (len(y) / n)
            mean.backward()
            total += float(mean.detach())
    return total


@contextmanager
def _seen(layers: "Sequence[nn.Module]", see: See) -> Iterator[None]:
    """Tell `see` what every layer gives; the hooks are gone afterwards."""

    def teller(number: int) -> "Callable[..., None]":
        def tell(layer: "nn.Module", inputs: object, output: "torch.Tensor") -> None:
            see(number, output.detach())

        return tell

    handles = [layer.register_forward_hook(teller(number)) for number, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def changes(before: "Sequence[Sequence[torch.Tensor]]", after: "Sequence[Sequence[torch.Tensor]]") -> list[float]:
    """How far the numbers of each layer have moved, L2; NaN for layers without any."""
    return [
        norm(new.double() - old.double() for new, old in zip(now, then, strict=True))
        for now, then in zip(after, before, strict=True)
    ]
