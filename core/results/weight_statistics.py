"""How weights, gradients and activations of every layer, and the steps of its optimizer, went over the kept moments."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["weights", "gradients", "activations"]
KINDS: tuple[Kind, ...] = ("weights", "gradients", "activations")


@dataclass(frozen=True, slots=True)
class WeightStatistics:
    """Of L layers at K moments. Weights, gradients and updates are of all trained numbers that a layer itself has, biases
    too; of a container those of its projection. Gradients are those of the mean loss over fixed training examples, without
    penalties, in evaluation mode (no dropout; batch normalisation with its running statistics). Activations are what the
    layers give for these examples.

    Histograms stand one after the other: weights of all layers, their gradients, their activations; 3 L in all. Number n has
    bins `edges[n]` (B + 1,) and counts `counts[n]` (K, B) int64, and the same over bins that are equal in the logarithm of
    size, `log_edges[n]` and `log_counts[n]`. Layers without weights have no bins for weights and gradients.
    """

    steps: np.ndarray
    """(K,) int64: training steps done at each moment."""
    layers: tuple[str, ...]
    """As a screen names them: `Layer 1 Linear`."""
    paths: tuple[tuple[int, ...], ...]
    """Places of the layers in the stack."""
    edges: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]
    log_edges: tuple[np.ndarray, ...]
    log_counts: tuple[np.ndarray, ...]
    gradient_norms: np.ndarray
    """(L, K) float64: L2 norm; NaN for layers without weights."""
    weight_norms: np.ndarray
    """(L, K) float64, before the update."""
    update_norms: np.ndarray
    """(L, K) float64: how far the optimizer's next step goes, made on a copy with the run's own next batch; NaN where there is
    none, as the lane had ended."""
    losses: np.ndarray
    """(K,) float64: mean loss over the examples."""
    rates: np.ndarray
    """(K,) float64: learning rate of that next step."""
    n_examples: int
    """Training examples in gradients, activations and losses."""
    optimizer: str
    """What made the steps, as a legend calls it."""
    unit: str
    """Of the loss."""
    n_left_out: int = 0
    """Kept moments that were not looked at, as there are many; evenly spread."""
    is_sampled: bool = False
    """Of some layers the histograms count evenly spread values, not all."""
    is_averaged: bool = False
    """The lane keeps an average of its weights; these are the trained weights themselves."""

    def number(self, kind: Kind, layer: int) -> int:
        """Where the histogram of a layer stands."""
        return KINDS.index(kind) * len(self.layers) + layer

    @property
    def ratios(self) -> np.ndarray:
        """(L, K): size of the next update in shares of the size of the weights; NaN where one of them is not known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = self.update_norms / self.weight_norms
        found[~np.isfinite(found)] = np.nan
        return found
