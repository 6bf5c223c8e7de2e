"""Some training images before and after augmentation, to look at."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class AugmentedExamples:
    """Images as they are, and several random draws of each.

    `before` (n, H, W) or (n, H, W, 3) uint8, `after` (n, k, H, W) or (n, k, H, W, 3) uint8. `names` (n) are their classes;
    `after_names` (n) of (k) say what each draw shows: the same class, or after MixUp its parts such as `70 % cat, 30 % dog`.
    """

    before: np.ndarray
    after: np.ndarray
    names: tuple[str, ...]
    after_names: tuple[tuple[str, ...], ...]
