"""What a model says of one example."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Prediction:
    """Classification: `probabilities` (K,) float32 of the classes. Regression: `value` in the unit of the target, none of them.

    `label` is the right class, -1 where nobody knows it. `pixels` (H, W[, 3]) uint8 is the picture, `tokens` are the words as
    the model reads them ("" for padding), `raw` (F,) the numbers of a row before any preparation.
    """

    class_names: tuple[str, ...]
    probabilities: np.ndarray
    label: int
    step: int
    value: float | None = None
    target_name: str = ""
    pixels: np.ndarray | None = None
    tokens: tuple[str, ...] = ()
    raw: np.ndarray | None = None
    raw_names: tuple[str, ...] = ()
    raw_categories: tuple[tuple[str, ...], ...] = ()
    """For each column its categories in the order of their numbers, () for a column of numbers; or nothing at all."""
    raw_low: np.ndarray | None = None
    """(F,): the smallest value of each column in the training split."""
    raw_high: np.ndarray | None = None
    segments: np.ndarray | None = None
    """(H, W) int32: superpixels of the picture, 0..M-1."""
    mean_colour: np.ndarray | None = None
    """(C,) uint8: the mean colour of the training images."""
