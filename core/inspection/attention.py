"""Where attention looked: the weights of every head, as they were used in the forward pass."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from core.models.placed import module_at
from core.models.stack import Path

if TYPE_CHECKING:
    import torch
    from torch import nn


def attention_weights(module: "nn.Sequential", x: "torch.Tensor", path: Path, block: int = 0) -> tuple[np.ndarray, float]:
    """The weights (heads, L, L) of one attention layer for one example `x` (1, *input_shape), in evaluation mode.

    Row i says from which steps (columns) step i takes what it takes; rows sum to 1. Works on a copy of the model.

    Args:
        block: which attention inside the layer at `path`, where there are several (a backbone), from 0.

    Returns:
        The weights float32, and by how much the output of the model differs, at most, from that of the fast path, which never
        forms the weights: rounding.
    """
    import torch
    from torch import nn

    quiet = copy.deepcopy(module).eval()
    inside = [one for one in module_at(quiet, path).modules() if isinstance(one, nn.MultiheadAttention)]
    with torch.inference_mode():
        plain = quiet(x)
        with _kept_weights(inside[block]) as kept:
            output = quiet(x)
    weights: np.ndarray = kept[-1][0].float().numpy()  # (1, heads, L, L) -> (heads, L, L)
    return weights, float((output - plain).abs().max())


@contextmanager
def _kept_weights(attention: "nn.MultiheadAttention") -> Iterator[list["torch.Tensor"]]:
    """A list that gets the weights of each pass; the layer is asked to form them, whatever its owner asks for."""
    kept: list[torch.Tensor] = []

    def ask(layer: "nn.Module", inputs: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return inputs, {**settings, "need_weights": True, "average_attn_weights": False}

    def keep(layer: "nn.Module", inputs: Any, output: Any) -> None:
        kept.append(output[1].detach().clone())

    # A hook also keeps torch's encoder block off its fused path, which would not call this layer at all.
    handles = [attention.register_forward_pre_hook(ask, with_kwargs=True), attention.register_forward_hook(keep)]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()
