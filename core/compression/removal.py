"""Taking whole units and channels out of a stack: which can go is known without torch, then weights are cut to fit.

A unit can go where what follows treats each channel by itself and gives 0 for a channel of zeros, up to the next Linear or
Conv2d, whose weights for it go too. The smaller stack then answers exactly as the larger one whose unit is masked.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.models.model import ModelSpec
from core.models.stack import infer_stack
from core.types import Shape

if TYPE_CHECKING:
    import torch

CUTTABLE = ("Linear", "Conv2d")
PASSES_ZERO = ("ReLU", "LeakyReLU", "PReLU", "ELU", "GELU", "SiLU", "Mish", "Tanh", "Dropout", "Dropout2d")
BY_CHANNEL = ("BatchNorm1d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "GlobalAvgPool", "Upsample")
WIDTHS = {"Linear": "out_features", "Conv2d": "out_channels"}


@dataclass(frozen=True, slots=True)
class Cut:
    """Units that can go: of layer `first`, read by layer `next` alone. `between` holds (layer, numbers for each channel)."""

    first: int
    next: int
    n: int
    between: tuple[tuple[int, int], ...]
    reads: int
    """Inputs of the next layer that belong to one unit: more than 1 behind a Flatten."""


def cuts(model: ModelSpec, shape: Shape) -> tuple[Cut, ...]:
    """All layers of the outermost stack whose units can be taken out."""
    return tuple(found for first in range(len(model.layers)) if (found := _cut(model, shape, first)))


def _cut(model: ModelSpec, shape: Shape, first: int) -> Cut | None:
    layer = model.layers[first]
    if layer.kind not in CUTTABLE or getattr(layer, "groups", 1) > 1:
        return None
    infos, reads = infer_stack(model.layers, shape).layers, 1
    between: list[tuple[int, int]] = []
    for place in range(first + 1, len(model.layers)):
        after = model.layers[place]
        if after.kind in CUTTABLE:
            if getattr(after, "groups", 1) > 1:
                return None
            return Cut(first, place, getattr(layer, WIDTHS[layer.kind]), tuple(between), reads)
        if after.kind == "Flatten":
            reads *= math.prod((infos[place].in_shape or ())[1:])
        elif after.kind not in (*PASSES_ZERO, *BY_CHANNEL):
            return None
        between.append((place, reads))
    return None


def n_kept(n: int, share: float) -> int:
    """Units that are left of `n` when a share of them goes, as torch rounds it; at least one."""
    return max(1, n - round(share * n))


def cut_spec(model: ModelSpec, found: tuple[Cut, ...], share: float) -> ModelSpec:
    """The stack with a share of the units of each of these layers taken out."""
    layers = list(model.layers)
    for cut in found:
        layer = layers[cut.first]
        layers[cut.first] = layer.but(**{WIDTHS[layer.kind]: n_kept(cut.n, share)})
    return model.but(layers=tuple(layers))


def cut_state(state: "dict[str, torch.Tensor]", cut: Cut, kept: "torch.Tensor") -> None:
    """Take all units of this layer but `kept` (in order) out of the tensors of the stack, in place."""
    for place, reads in ((cut.first, 1), *cut.between):
        for name in _by_unit(state, place, cut.n * reads):
            state[name] = state[name][_places(kept, reads)].clone()
    weight = f"{cut.next}.weight"
    state[weight] = state[weight][:, _places(kept, cut.reads)].clone()


def _by_unit(state: "dict[str, torch.Tensor]", place: int, n: int) -> list[str]:
    """Names of the tensors of a layer that have one entry for each of its `n` units along their first axis."""
    return [name for name, value in state.items() if name.startswith(f"{place}.") and value.ndim and value.shape[0] == n]


def _places(kept: "torch.Tensor", reads: int) -> "torch.Tensor":
    """Where the numbers of these units lie, `reads` for each."""
    import torch

    return (kept[:, None] * reads + torch.arange(reads)).flatten()
