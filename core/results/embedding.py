"""Examples as points in the space of a layer, drawn in two or three dimensions, at some moments of a run."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Embedding:
    """M moments of N examples. Point i is the same example at every moment; places are comparable between moments.

    `positions` (M, N, d) float32, d 2 or 3: of PCA in the units of the layer, around the mean of the moment; of other methods
    centred, with a mean square distance of 1 from the centre. `steps` (M,) int64. `indices` (N,) int64 are positions in the
    split, `labels` (N,) int64 the right classes, -1 for regression. `predictions` (M, N): int32 classes, or float32 numbers
    for regression, in the unit of the target.
    """

    method: str
    layer: int
    """From 0."""
    layer_name: str
    n_features: int
    """Numbers that the layer gives per example."""
    split: str
    indices: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    steps: np.ndarray
    positions: np.ndarray
    predictions: np.ndarray
    trustworthiness: np.ndarray
    """(M,) float64: 1 when all neighbours in the picture are near in the layer too, about 0.5 for a random picture; NaN where
    the layer gives the same for all examples. Venna and Kaski 2001."""
    kept_neighbors: np.ndarray
    """(M,) float64: which share of the nearest neighbours in the picture are the nearest in the layer too, in [0, 1]."""
    n_neighbors: int
    """How many nearest neighbours both figures look at."""
    explained: np.ndarray
    """(k,) float64: the share of the variance within all moments along each axis of the common basis, in [0, 1]. Of PCA k is d;
    other methods begin with the first k components."""
    explained_then: np.ndarray
    """(M,) float64: the share of each moment's own variance that these components hold."""
    confidence: np.ndarray | None = None
    """(M, N) float32: probability of the predicted class; None for regression."""
    targets: np.ndarray | None = None
    """(N,) float64, regression: the right numbers in their own unit."""
    target_name: str = ""
    pixels: np.ndarray | None = None
    """Images: small pictures of the examples before any preparation, (N, H, W) or (N, H, W, 3) uint8."""
    texts: tuple[str, ...] = ()
    """One line per example, of data that are no images."""
    notes: tuple[str, ...] = ()
    """What was left out, in sentences."""
