"""Images of digits: small scanned ones from scikit-learn, and printed ones that are turned and bent here, offline.

The rendering is the same on every processor: numbers from exp, cos and sin, whose last bit may differ, are rounded to a
grid before they are used, and all that follows is single additions and multiplications.
"""

from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, ImageDataset, Splits, unprepared
from core.data.grid import interpolated, on_grid
from core.data.kept import kept_arrays
from core.data.split import cut, split_sizes
from core.seeds import stream_seed

DIGITS = tuple("0123456789")
SIDE = 28
BLOCK = 1000
"""Images drawn from one random stream; a set of any size is a cut of the same endless row of blocks."""
ZOOM = 44 / 20
"""Glyph pixels per image pixel: the longer side of a digit is 44 there and 20 here, as in MNIST."""
BENDS = 5
"""Points per axis of the grid that bends a digit."""


class Digits(ImageDataset):
    """1,797 handwritten digits of 8 × 8 pixels with 17 grey levels. Trains in about a second."""

    kind: Literal["digits"] = "digits"
    label: ClassVar[str] = "Digits 8 × 8"
    source: ClassVar[str] = "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits (UCI)"

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile("image", (1, 8, 8), DIGITS, *split_sizes(1797, self.train_share, self.validation_share))

    def original(self, seed: int) -> Splits:
        """The images as they were scanned, 0 to 16; the seed only moves the split."""
        flat, y = kept_arrays("digits", _from_sklearn, ("x", "y"))
        x = flat.astype(np.uint8).reshape(-1, 1, 8, 8)
        return image_splits(x, y.astype(np.int64), self.original_profile(), seed, brightest=16)


class RenderedDigits(ImageDataset):
    """Printed digits in 15 typefaces, turned, bent, faint or bold, some grainy: about as hard as MNIST, drawn on the spot."""

    kind: Literal["rendered_digits"] = "rendered_digits"
    label: ClassVar[str] = "Rendered digits 28 × 28"

    n_examples: int = Field(6000, ge=200, le=60_000, title="examples")
    """Number of images; drawing 10,000 takes about a second."""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        sizes = split_sizes(self.n_examples, self.train_share, self.validation_share)
        return DataProfile("image", (1, SIDE, SIDE), DIGITS, *sizes)

    def original(self, seed: int) -> Splits:
        """The images, drawn by the seed."""
        x, y = rendered_digits(self.n_examples, seed)
        return image_splits(x, y, self.original_profile(), seed, brightest=255)


def _from_sklearn() -> tuple[np.ndarray, ...]:
    """Images (1797, 64) float64 and digits (1797,) as scikit-learn ships them."""
    from sklearn.datasets import load_digits

    flat, y = load_digits(return_X_y=True)
    return flat, y


def image_splits(x: np.ndarray, y: np.ndarray, profile: DataProfile, seed: int, brightest: int) -> Splits:
    """Images (N, C, H, W) uint8, split."""
    sizes = (profile.n_train, profile.n_validation, profile.n_test)
    return unprepared(profile, cut(x, y, sizes, seed), brightest=brightest)


def rendered_digits(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` images (n, 1, 28, 28) uint8 and labels (n,) int64, the first n of one endless row. About 10,000 per second.

    Any ten in a row from a multiple of ten hold each digit once.
    """
    blocks = [_block(np.random.default_rng([stream_seed(seed, "data"), number])) for number in range(-(-n // BLOCK))]
    images = np.concatenate([images for images, _ in blocks])[:n, None]
    return images, np.concatenate([labels for _, labels in blocks])[:n]


def _block(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One block of images (BLOCK, 28, 28) uint8 and labels."""
    labels = rng.permuted(np.tile(np.arange(10), (BLOCK // 10, 1)), axis=1).ravel()
    fonts = rng.integers(0, len(_atlas()), BLOCK)
    u, v = _positions(rng)
    image = _sampled(fonts * 10 + labels, u, v)
    gain = on_grid(np.exp(rng.normal(0.25, 0.35, (BLOCK, 1, 1))))
    is_noisy = rng.random((BLOCK, 1, 1)) < 0.5
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(0.06) * is_noisy
    image = np.clip(np.clip(image * gain, 0, 1) + noise, 0, 1)
    return np.rint(image * np.float32(255)).astype(np.uint8), labels.astype(np.int64)


def _positions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each image pixel the place u, v (BLOCK, 28, 28) in glyph pixels that it shows: turned, sheared, scaled, bent."""
    angle, shear = rng.normal(0, 0.17, BLOCK), rng.normal(0.1, 0.2, BLOCK)
    width, height = np.exp(rng.normal(-0.05, 0.14, BLOCK)), np.exp(rng.normal(0, 0.08, BLOCK))
    right, down = rng.normal(0, 1.3, (2, BLOCK, 1, 1)).astype(np.float32)
    bend_u, bend_v = interpolated(rng.normal(0, 1.15 * ZOOM, (2, BLOCK, BENDS, BENDS)).astype(np.float32), SIDE)
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.stack([cos / width, sin / width + shear, -sin / height, cos / height])
    uu, uv, vu, vv = on_grid(rows * ZOOM)[:, :, None, None]
    middle = np.float32((SIDE - 1) / 2)
    line = np.arange(SIDE, dtype=np.float32) - middle
    across, along = line[None, None, :] - right, line[None, :, None] - down
    centre = np.float32((_atlas().shape[-1] - 1) / 2)
    return uu * across + uv * along + bend_u + centre, vu * across + vv * along + bend_v + centre


def _sampled(glyphs: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The glyphs at u, v: the mean of four bilinear samples around each place, against jagged edges. In [0, 1]."""
    side = _atlas().shape[-1]
    flat = _atlas().reshape(-1)
    start = (glyphs * side * side).astype(np.int32)[:, None, None]
    top = np.float32(side - 1.001)
    total = np.zeros_like(u)
    for across, along in ((-0.55, -0.55), (0.55, -0.55), (-0.55, 0.55), (0.55, 0.55)):
        x, y = np.clip(u + np.float32(across), 0, top), np.clip(v + np.float32(along), 0, top)
        column, row = x.astype(np.int32), y.astype(np.int32)
        x, y = x - column.astype(np.float32), y - row.astype(np.float32)
        at = start + row * side + column
        upper = flat[at] * (1 - x) + flat[at + 1] * x
        lower = flat[at + side] * (1 - x) + flat[at + side + 1] * x
        total += upper * (1 - y) + lower * y
    return total / np.float32(4)


@cache
def _atlas() -> np.ndarray:
    """All glyphs (fonts, 10, 64, 64) float32 in [0, 1]; made by `tools/make_glyphs.py`."""
    with np.load(Path(__file__).with_name("glyphs.npz"), allow_pickle=False) as file:
        glyphs: np.ndarray = file["glyphs"]
    return glyphs.astype(np.float32) / np.float32(255)
