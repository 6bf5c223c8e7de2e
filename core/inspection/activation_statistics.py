"""Over many examples: which units of which layers are dead or saturated, and how large the numbers of each layer are."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.models.layer import LayerChoice
from core.models.layers.activation import ELU
from core.models.layers.recurrent import RNN
from core.models.model import layer_name
from core.models.placed import placed_layers
from core.results.activation_statistics import ActivationStatistics
from core.types import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

NUMBERS_AT_ONCE = 4_000_000
"""Activations of one batch, over all layers."""
MOST_AT_ONCE = 64
FLAT = 0.01
"""How near to the end of its range a squeezing unit counts as saturated."""
SILENT = 1e-3
"""How near to 0 a smooth activation counts as silent: it comes near it, and never reaches it."""


@dataclass(frozen=True, slots=True)
class StillRule:
    """When an output counts as still: `effect` is "dead" or "saturated", `words` say what `test` looks for."""

    effect: str
    words: str
    test: "Callable[[torch.Tensor], torch.Tensor]"


def still_rule(layer: LayerChoice) -> StillRule | None:
    """How the units of this layer can fall still; None where they cannot."""
    kind = f"{layer.kind} {layer.nonlinearity}" if isinstance(layer, RNN) else layer.kind
    if isinstance(layer, ELU) and layer.alpha > 0:
        floor = -(1 - FLAT) * layer.alpha
        return StillRule("saturated", f"output below {floor:.3g}", lambda values: values < floor)
    return _RULES.get(kind)


_ZERO = StillRule("dead", "output 0", lambda values: values == 0)
_NEAR_ZERO = StillRule("dead", f"output within {SILENT:g} of 0", lambda values: values.abs() < SILENT)
_TANH = StillRule("saturated", "output beyond ±0.99", lambda values: values.abs() > 1 - FLAT)
_SIGMOID = StillRule("saturated", "output below 0.01 or above 0.99", lambda values: (values < FLAT) | (values > 1 - FLAT))
_RULES = {
    "ReLU": _ZERO,
    "RNN relu": _ZERO,
    "GELU": _NEAR_ZERO,
    "SiLU": _NEAR_ZERO,
    "Mish": _NEAR_ZERO,
    "Tanh": _TANH,
    "RNN tanh": _TANH,
    "Sigmoid": _SIGMOID,
}


def unit_axis(n_axes: int) -> int:
    """Where the units of an output with so many axes (the batch counted) are: features (N, F) and (N, L, D), channels else."""
    return 2 if n_axes == 3 else 1


def activation_statistics(
    module: "nn.Sequential", layers: Sequence[Any], x: np.ndarray, n_activations: int, report: Report
) -> ActivationStatistics:
    """What the layers of `module`, made from `layers`, give over all examples x (N, *shape), in evaluation mode.

    Works on a copy. `split`, `n_split` and `step` of the result are for the caller to fill in.

    Args:
        n_activations: numbers that one example has in all layers together; it says how many go through at once.
    """
    import torch

    quiet = copy.deepcopy(module).eval()
    tallies = {path: _Tally(still_rule(layer)) for path, layer, _ in placed_layers(layers, quiet)}
    handles = [one.register_forward_hook(tallies[path].hook) for path, _, one in placed_layers(layers, quiet)]
    at_once = int(np.clip(NUMBERS_AT_ONCE // max(1, n_activations), 1, MOST_AT_ONCE))
    try:
        with torch.inference_mode():
            report(0, len(x))
            for start in range(0, len(x), at_once):
                quiet(torch.from_numpy(x[start : start + at_once]))
                report(min(len(x), start + at_once), len(x))
    finally:
        for handle in handles:
            handle.remove()
    seen = list(tallies.values())
    return ActivationStatistics(
        split="",
        n_examples=len(x),
        n_split=len(x),
        step=0,
        layer_names=tuple(layer_name(layers, path) for path in tallies),
        effects=tuple(tally.rule.effect if tally.rule else "" for tally in seen),
        rules=tuple(tally.rule.words if tally.rule else "" for tally in seen),
        still_share=tuple(tally.still_share() for tally in seen),
        n_units=np.array([tally.n_units for tally in seen], np.int64),
        zero_share=np.array([tally.n_zero / tally.n for tally in seen]),
        mean=np.array([tally.total / tally.n for tally in seen]),
        std=np.array([tally.spread() for tally in seen]),
        least=np.array([tally.least for tally in seen]),
        largest=np.array([tally.largest for tally in seen]),
    )


class _Tally:
    """Counts of one layer, batch by batch."""

    def __init__(self, rule: StillRule | None) -> None:
        self.rule = rule
        self.n, self.n_zero, self.n_units = 0, 0, 0
        self.total, self.squares = 0.0, 0.0
        self.least, self.largest = np.inf, -np.inf
        self.still: np.ndarray | None = None

    def hook(self, module: "nn.Module", inputs: Any, output: "torch.Tensor") -> None:
        values = output.detach().float()
        axis = unit_axis(values.ndim)
        self.n_units = values.shape[axis]
        self.n += values.numel()
        self.n_zero += int((values == 0).sum())
        self.total += float(values.double().sum())
        self.squares += float(values.double().square().sum())
        self.least = min(self.least, float(values.min()))
        self.largest = max(self.largest, float(values.max()))
        if self.rule is not None:
            others = [one for one in range(values.ndim) if one != axis]
            counts = self.rule.test(values).sum(others).numpy()
            self.still = counts if self.still is None else self.still + counts

    def still_share(self) -> np.ndarray:
        if self.still is None:
            return np.zeros(0)
        share: np.ndarray = self.still * self.n_units / self.n
        return share

    def spread(self) -> float:
        return float(np.sqrt(max(0.0, self.squares / self.n - (self.total / self.n) ** 2)))
