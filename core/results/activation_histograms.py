"""How often each value occurs in an example, and among what each layer answers to it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ActivationHistograms:
    """`counts[i]` (B,) int64 of the values of layer i between `edges[i]` (B + 1,), without exact zeros, of which there are
    `n_zero[i]`. `pixel_counts` (C, 256) int64, images: how many pixels have each brightness, before any preparation."""

    layer_names: tuple[str, ...]
    counts: tuple[np.ndarray, ...]
    edges: tuple[np.ndarray, ...]
    n_zero: tuple[int, ...]
    pixel_counts: np.ndarray | None = None
    step: int = 0
