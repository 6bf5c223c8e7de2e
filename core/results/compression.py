"""What a smaller model costs and can do, beside the model that it was made of."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CompressionReport:
    """Pairs are (original, compressed). Where a model runs in other numbers than float32, scores are of what really runs."""

    kind: str
    """Of the compression."""
    step: int
    """Of the compressed weights."""
    split: str
    n_examples: int
    is_accuracy: bool
    """Scores are accuracies in [0, 1]; else R²."""
    score: np.ndarray
    """(2, 3) float64: value, and the ends of its 95 % interval."""
    change: np.ndarray
    """(3,) float64: mean over examples of right (1) or wrong (0), compressed minus original, and its 95 % interval by pairs.
    NaN for regression."""
    size_bytes: np.ndarray
    """(2,) int64: of the safetensors file."""
    zipped_bytes: np.ndarray
    """(2,) int64: of the same file in a zip."""
    parameters: np.ndarray
    """(2,) int64."""
    nonzero: np.ndarray
    """(2,) int64: parameters that are not zero."""
    multiply_adds: np.ndarray
    """(2,) int64: of one example forward, as they are computed."""
    useful_multiply_adds: np.ndarray
    """(2,) int64: those whose weight is not zero, which only special hardware can make use of."""
    batches: tuple[int, ...]
    latencies: tuple[np.ndarray, ...]
    """For each batch size (2, repeats) float64, seconds of one answer."""
    agreement: float
    """Share of examples for which both predict the same class; NaN for regression."""
    difference: float
    """Mean over examples and classes of the difference of probabilities; for regression of the predicted numbers."""
    shown_agreement: float
    """As `agreement`, between what really runs and the float model that the other screens look at; NaN for regression."""
    shown_difference: float
    """As `difference`, between these two."""
    layers: tuple[str, ...]
    """Layers with weights that can be pruned, of the compressed stack."""
    weights: np.ndarray
    """(layers, 2) int64: weights of each, and how many of them are zero."""
    losses: np.ndarray
    """(epochs,) float64: mean training loss of each epoch of further training."""
    loss_unit: str = ""
    notes: tuple[str, ...] = ()

    def median_s(self, batch: int) -> tuple[float, float]:
        """The median time of an answer to so many examples, of both."""
        _, found, _ = self.quartiles_s(batch)
        return float(found[0]), float(found[1])

    def quartiles_s(self, batch: int) -> np.ndarray:
        """(3, 2) float64: lower quartile, median and upper quartile of that time, of both."""
        found: np.ndarray = np.quantile(self.latencies[self.batches.index(batch)], [0.25, 0.5, 0.75], axis=1)
        return found
