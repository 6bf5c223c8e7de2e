"""How the units of every layer behave over many examples: dead, saturated, and how large their numbers are."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ActivationStatistics:
    """One entry per layer, in the order of the stack, those inside of containers behind their container.

    A unit is a channel of maps, a feature of a vector or of each step. A layer whose units can fall still has an `effect`:
    "dead" (an activation like ReLU that gives 0) or "saturated" (a squeezing one that sits where its curve is flat), and says
    in `rules` when an output counts as still; other layers have "" in both.
    """

    split: str
    n_examples: int
    n_split: int
    step: int
    layer_names: tuple[str, ...]
    effects: tuple[str, ...]
    rules: tuple[str, ...]
    still_share: tuple[np.ndarray, ...]
    """(units,) float64 in [0, 1]: share of all examples and places at which the unit is still; 1 is a unit that never speaks.
    Empty where the layer has no effect."""
    n_units: np.ndarray
    """(layers,) int64."""
    zero_share: np.ndarray
    """(layers,) float64 in [0, 1]: share of exact zeros among all outputs."""
    mean: np.ndarray
    std: np.ndarray
    least: np.ndarray
    largest: np.ndarray

    def n_always(self, layer: int) -> int:
        """Units of this layer that are still at every place of every example."""
        return int((self.still_share[layer] == 1).sum())
