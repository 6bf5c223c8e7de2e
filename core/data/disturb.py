"""Disturbances, carried out on examples as they are before any preparation. A greater strength goes on in the same direction:
the random numbers of an example are those of the seed alone, so that strengths can be compared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data.disturbance import Blur, ColumnNoise, DisturbanceChoice, Patch, PixelNoise, TokenDropping, Turn


@dataclass(frozen=True, slots=True)
class Raw:
    """Examples before any preparation: images (N, C, H, W) float32 from 0 to 255, rows (N, F) float32, tokens (N, L) int64.

    `spread` (F,) are the standard deviations of the columns in the training split, 0 for those with categories;
    `colour` (C,) the mean colour of the training images, from 0 to 255.
    """

    x: np.ndarray
    spread: np.ndarray | None = None
    colour: np.ndarray | None = None


def disturbed(disturbance: DisturbanceChoice, raw: Raw, strength: float, seed: int) -> np.ndarray:
    """The examples under a disturbance of this strength, as `raw.x`; strength 0 is the identity. Attacks are made elsewhere,
    since they need the model.
    """
    rng = np.random.default_rng([seed, 7])
    return raw.x if strength == 0 else DISTURBERS[type(disturbance)](raw, strength, rng)


def _pixel_noise(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(raw.x.shape, np.float32)
    noisy: np.ndarray = np.clip(raw.x + np.float32(strength) * noise, 0, 255)
    return noisy


def _blurred(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    found: np.ndarray = gaussian_filter(raw.x, sigma=(0, 0, strength, strength), mode="nearest")
    return found


def _turned(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import rotate

    x, is_left = raw.x.copy(), rng.random(len(raw.x)) < 0.5
    for side, angle in ((is_left, strength), (~is_left, -strength)):
        x[side] = rotate(raw.x[side], angle, axes=(3, 2), reshape=False, order=1) if side.any() else raw.x[side]
    return x


def _covered(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    x, (height, width) = raw.x.copy(), raw.x.shape[2:]
    share = np.sqrt(strength)
    tall, wide = max(1, round(share * height)), max(1, round(share * width))
    tops, lefts = (np.rint(rng.random(len(x)) * (room + 1) - 0.5).astype(int) for room in (height - tall, width - wide))
    colour = np.zeros(x.shape[1], np.float32) if raw.colour is None else raw.colour
    for image, top, left in zip(x, tops, lefts, strict=True):
        image[:, top : top + tall, left : left + wide] = colour[:, None, None]
    return x


def _column_noise(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    spread = np.ones(raw.x.shape[1]) if raw.spread is None else raw.spread
    noisy: np.ndarray = (raw.x + strength * spread * rng.standard_normal(raw.x.shape)).astype(np.float32)
    return noisy


def _dropped(raw: Raw, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Padding stays on the left, as in the data."""
    luck = np.where(raw.x == 0, -1.0, rng.random(raw.x.shape))
    is_kept = (luck >= strength) | ((luck == luck.max(1, keepdims=True)) & (raw.x != 0))
    order = np.argsort(is_kept, axis=1, kind="stable")  # what is lost goes to the front, what stays keeps its order
    return np.take_along_axis(np.where(is_kept, raw.x, 0), order, axis=1)


DISTURBERS: dict[type, Callable[[Raw, float, np.random.Generator], np.ndarray]] = {
    PixelNoise: _pixel_noise,
    Blur: _blurred,
    Turn: _turned,
    Patch: _covered,
    ColumnNoise: _column_noise,
    TokenDropping: _dropped,
}
"""How each is made."""
