"""Which layers of a stack have weights that can be pruned or quantised, and why the others are left alone."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from core.models.layer import LayerChoice
from core.models.model import ModelSpec, all_layers
from core.models.stack import Path, infer_stack
from core.types import Shape

if TYPE_CHECKING:
    from torch import nn

PRUNABLE = ("Linear", "Conv2d", "ConvTranspose2d", "Conv1d")
"""Layers with one tensor of weights."""
SMALL = ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "PReLU")
"""Layers whose few numbers nobody prunes; they are not worth a word."""
WHOLES = ("Residual", "Parallel")
"""Containers: their layers speak for themselves."""
REASONS = {
    "RNN": "its weights are used again at every step, so that a small change grows",
    "LSTM": "its weights are used again at every step, so that a small change grows",
    "GRU": "its weights are used again at every step, so that a small change grows",
    "SelfAttention": "attention is left as it is: its projections work together",
    "TransformerEncoder": "attention is left as it is: its projections work together",
    "Embedding": "its rows are looked up, not multiplied",
    "PositionalEncoding": "its places are looked up, not multiplied",
    "PatchEmbed": "all that follows is built on its patches",
    "Backbone": "its weights come from elsewhere and stay as they are",
}
"""Why a layer is left alone by every method that changes single weights."""


def weighted_layers(model: ModelSpec) -> tuple[tuple[Path, LayerChoice], ...]:
    """Layers whose weights can be pruned, with those inside containers."""
    return tuple((path, layer) for path, layer in all_layers(model.layers) if layer.kind in PRUNABLE)


def untouched(model: ModelSpec, shape: Shape, treated: Collection[Path]) -> tuple[tuple[Path, str], ...]:
    """Layers with weights, not among `treated`, that a method for single weights leaves alone, with the reason."""
    inference = infer_stack(model.layers, shape)
    found = []
    for path, layer in all_layers(model.layers):
        info = inference.at(path)
        if path in treated or layer.kind in (*SMALL, *WHOLES) or not info.n_parameters + info.n_frozen:
            continue
        found.append((path, REASONS.get(layer.kind, "this method has no form for it")))
    return tuple(found)


def last_weighted(model: ModelSpec) -> int | None:
    """The last layer of the outermost stack that can be pruned: mostly the one that gives the outputs."""
    return next((i for i in reversed(range(len(model.layers))) if model.layers[i].kind in PRUNABLE), None)


def holder(layer: LayerChoice, module: "nn.Module") -> "Any":
    """The torch module whose `weight` a prunable layer has."""
    return module.layer if layer.kind == "Conv1d" else module


def output_axis(layer: LayerChoice) -> int:
    """The axis of a prunable layer's weights along which its units or channels lie."""
    return 1 if layer.kind == "ConvTranspose2d" else 0


def holders(model: ModelSpec, stack: "nn.Module") -> "Iterator[tuple[Path, LayerChoice, Any]]":
    """The modules with prunable weights of a live stack, in the order of the layers."""
    from core.models.placed import module_at

    for path, layer in weighted_layers(model):
        yield path, layer, holder(layer, module_at(stack, path))
