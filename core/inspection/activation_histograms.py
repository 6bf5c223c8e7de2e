"""How often each value occurs among what every layer answers to one example."""

import numpy as np

from core.results.activation_histograms import ActivationHistograms
from core.results.activations import ActivationMaps

BINS = 40


def activation_histograms(maps: ActivationMaps) -> ActivationHistograms:
    """Of the layers, and of the picture where there is one. Exact zeros, of which a ReLU has many, are counted apart."""
    binned = [_histogram(np.asarray(values)) for values in maps.maps]
    return ActivationHistograms(
        layer_names=maps.layer_names,
        counts=tuple(counts for counts, _ in binned),
        edges=tuple(edges for _, edges in binned),
        n_zero=tuple(int((values == 0).sum()) for values in maps.maps),
        pixel_counts=None if maps.pixels is None else _pixel_counts(maps.pixels),
        step=maps.step,
    )


def _histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (B,) of all finite values but exact zeros, between edges (B + 1,) over the whole range, 0 within it."""
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    counts, edges = np.histogram(finite[finite != 0], BINS, (low, high if high > low else low + 1.0))
    return counts.astype(np.int64), edges


def _pixel_counts(pixels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 -> (C, 256)."""
    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.stack([np.bincount(channels[..., i].ravel(), minlength=256) for i in range(channels.shape[-1])]).astype(np.int64)
