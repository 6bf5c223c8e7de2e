"""Maps as small pictures to choose one from, and pictures with a part framed."""

import numpy as np

from core.results.activations import ActivationMaps
from dashboard.figures import theme
from dashboard.figures.activations import ColourScope, limits

MOST = 64
"""Maps of a layer that are shown."""
SIDE = 64
"""Larger maps are thinned out to about so many pixels."""
ENLARGED = 160
"""Pictures are enlarged to about so many pixels before a frame is drawn on them."""
SHOWN = 96
"""Pixels of the page that a framed picture takes; its frame is two of them wide."""


def map_pictures(
    maps: ActivationMaps, layer: int, *, scale: ColourScope = "layer", dark: bool = False, most: int = MOST
) -> np.ndarray:
    """The first maps (C, H, W) of a layer as pictures (N, H, W, 3) uint8, in the colours of the activation figure."""
    values = np.asarray(maps.maps[layer], np.float32)[:most]
    step = -(-max(values.shape[1:]) // SIDE)
    values = values[:, ::step, ::step]
    reach = limits(maps, layer, scale)
    if scale == "map":
        low = values.min((1, 2), keepdims=True)
        width = values.max((1, 2), keepdims=True) - low
        return _coloured((values - low) / np.where(width > 0, width, 1), theme.sequential())
    share = (values - reach.low) / ((reach.high - reach.low) or 1.0)
    return _coloured(share, theme.diverging(dark) if reach.low < 0 else theme.sequential())


def framed_pictures(pictures: np.ndarray, fields: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, 3), enlarged, each with a frame around its field (N, 4); none where it is all, or -1.

    A field is the first and last row, the first and last column of a part.
    """
    colour = pictures if pictures.ndim == 4 else np.repeat(pictures[..., None], 3, axis=3)
    height, width = colour.shape[1:3]
    times = max(1, ENLARGED // max(height, width))
    large = colour.repeat(times, axis=1).repeat(times, axis=2)
    ink = np.array([int(theme.CATEGORICAL[4][at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
    thick = -(-2 * times * max(height, width) // SHOWN)
    for picture, (top, bottom, left, right) in zip(large, fields, strict=True):
        if top < 0 or bottom < top or right < left or (bottom - top + 1 >= height and right - left + 1 >= width):
            continue
        rows, columns = slice(top * times, (bottom + 1) * times), slice(left * times, (right + 1) * times)
        part = picture[rows, columns]
        part[:thick] = part[-thick:] = ink
        part[:, :thick] = part[:, -thick:] = ink
    return large


def _coloured(share: np.ndarray, scale: theme.Scale) -> np.ndarray:
    """Shares of a scale (..., ) as colours (..., 3) uint8."""
    at = [place for place, _ in scale]
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in scale], float)
    known = np.nan_to_num(share)
    return np.rint(np.stack([np.interp(known, at, stops[:, i]) for i in range(3)], -1)).astype(np.uint8)
