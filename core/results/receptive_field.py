"""Which pixels each output of a layer can depend on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The output at row r and column c can depend on the pixels in rows `rows[r, 0]` to `rows[r, 1]` and columns
    `columns[c, 0]` to `columns[c, 1]`, and on no others. A first above its last: it depends on none.

    `rows` (H', 2) and `columns` (W', 2) int64, within the image; `size` is the whole field of an output in the middle, (height,
    width), padding counted too. `map` (H', W') float32 is one channel of the layer for the example.
    """

    layer_name: str
    unit: int
    n_units: int
    rows: np.ndarray
    columns: np.ndarray
    size: tuple[int, int]
    map: np.ndarray
    picture: np.ndarray | None
    """The example before any preparation, (H, W) or (H, W, 3) uint8."""
    step: int
