"""Numbers for drawing that are the same on every processor, and smooth fields made of them."""

import numpy as np


def on_grid(values: np.ndarray) -> np.ndarray:
    """Multiples of 2**-16 float32, exact: a last bit of exp, cos or sin that differs between processors is gone."""
    rounded: np.ndarray = np.rint(values * 65536) / 65536
    return rounded.astype(np.float32)


def interpolated(coarse: np.ndarray, side: int) -> np.ndarray:
    """Coarse grids (..., k, k) as smooth fields (..., side, side), by linear interpolation along both axes.

    Single additions and multiplications: no sum whose order a library may choose.
    """
    last = coarse.shape[-1] - 1
    place = np.linspace(0, last, side)
    left = np.minimum(place.astype(int), last - 1)
    weight = on_grid(place - left)
    tall = coarse[..., left, :] * (1 - weight)[:, None] + coarse[..., left + 1, :] * weight[:, None]
    field: np.ndarray = tall[..., left] * (1 - weight) + tall[..., left + 1] * weight
    return field
