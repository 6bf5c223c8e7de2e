"""Pictures of which it is known where their class stands: what an explanation must find can be compared with what it finds.

Each shows one red shape among others of other colours. The class is the red shape, so neither the shapes nor the colours alone
tell it, and the pixels of the red shape are its evidence. Drawn with single additions and multiplications on rounded numbers,
the same on every processor.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, ImageDataset, Split, Splits, unprepared
from core.data.grid import interpolated, on_grid
from core.data.split import cut, split_sizes
from core.seeds import stream_seed

SHAPES = ("circle", "square", "triangle", "plus")
SIDE = 32
BLOCK = 400
"""Pictures drawn from one random stream; a set of any size is a cut of the same endless row of blocks."""
COLOURS = np.array([[0.90, 0.12, 0.12], [0.15, 0.35, 0.95], [0.10, 0.75, 0.25], [0.95, 0.85, 0.15]], np.float32)
"""Red, blue, green, yellow."""
NOISE = 0.08
"""Standard deviation of the grain, of a range of 1."""
MARK = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 0, 1, 0, 1]], bool)
"""The watermark: five by three pixels, black and white in turn, in the lower left corner."""
MARK_AT = (slice(28, 31), slice(1, 6))


class KnownEvidence(ImageDataset):
    """Which shape is red? Pictures with one red shape among others; the pixels that decide the class are known."""

    kind: Literal["evidence"] = "evidence"
    label: ClassVar[str] = "Known evidence 32 × 32"

    n_examples: int = Field(4000, ge=200, le=20_000, title="examples")
    """Number of pictures; drawing 4,000 takes about a second."""
    shortcut: float = Field(0.0, ge=0.0, le=1.0, multiple_of=0.05)
    """Share of the training and validation pictures of circles that carry a watermark, as if by mistake. The test split has
    none: a model that learned the watermark fails there."""
    distractors: int = Field(3, ge=0, le=6)
    """Shapes of other colours in each picture."""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        sizes = split_sizes(self.n_examples, self.train_share, self.validation_share)
        return DataProfile("image", (3, SIDE, SIDE), SHAPES, *sizes)

    def original(self, seed: int) -> Splits:
        """The pictures, drawn by the seed, each with its evidence (32, 32). The watermark is no part of it."""
        x, y, evidence = known_evidence(self.n_examples, seed, self.distractors)
        profile = self.original_profile()
        chances = np.random.default_rng([stream_seed(seed, "data"), 0, 1]).random(len(y))
        is_marked = (y == 0) & (chances < self.shortcut)
        parts = cut(np.arange(len(y)), y, (profile.n_train, profile.n_validation, profile.n_test), seed)
        for part in parts[:2]:  # training and validation
            marked = part.x[is_marked[part.x]]
            x[marked], evidence[marked] = watermarked(x[marked], evidence[marked])
        return unprepared(profile, [Split(x[part.x], part.y, evidence[part.x]) for part in parts])


def watermarked(x: np.ndarray, evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copies of pictures (N, 3, 32, 32) uint8 with the watermark on each, and of their evidence, less what it covers."""
    marked, visible = x.copy(), evidence.copy()
    marked[:, :, *MARK_AT] = np.where(MARK, 242, 13)
    visible[:, *MARK_AT] = False
    return marked, visible


def known_evidence(n: int, seed: int, distractors: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`n` pictures (n, 3, 32, 32) uint8, classes (n,) int64 and evidence (n, 32, 32) bool, the first n of one endless row.

    Any four in a row from a multiple of four hold each class once.
    """
    streams = (np.random.default_rng([stream_seed(seed, "data"), number, 0]) for number in range(-(-n // BLOCK)))
    x, y, evidence = zip(*(_block(rng, distractors) for rng in streams), strict=True)
    return np.concatenate(x)[:n], np.concatenate(y)[:n], np.concatenate(evidence)[:n]


def _block(rng: np.random.Generator, distractors: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One block of pictures (BLOCK, 3, 32, 32) uint8, classes and evidence."""
    y = rng.permuted(np.tile(np.arange(4), (BLOCK // 4, 1)), axis=1).ravel()
    coarse = on_grid(rng.random((BLOCK, 3, 4, 4)) * 0.3 + 0.35)
    image = interpolated(coarse, SIDE)  # (BLOCK, 3, 32, 32)
    n_shapes = distractors + 1
    cells = rng.permuted(np.tile(np.arange(9), (BLOCK, 1)), axis=1)[:, :n_shapes]  # each shape in a cell of its own
    middle = np.stack([cells % 3, cells // 3]) * 10 + 6 + rng.uniform(-1.5, 1.5, (2, BLOCK, n_shapes))
    shapes, colours = rng.integers(0, 4, (BLOCK, n_shapes)), rng.integers(1, 4, (BLOCK, n_shapes))
    shapes[:, 0], colours[:, 0] = y, 0
    radius, angle = rng.uniform(3.6, 5.2, (BLOCK, n_shapes)), rng.uniform(-0.35, 0.35, (BLOCK, n_shapes))
    bright, tint = rng.uniform(0.75, 1.1, (BLOCK, n_shapes, 1)), rng.normal(0, 0.04, (BLOCK, n_shapes, 3))
    paint = on_grid(np.clip(COLOURS[colours] * bright + tint, 0, 1))  # (BLOCK, n_shapes, 3)
    cover = np.zeros((BLOCK, SIDE, SIDE), np.float32)
    for i in reversed(range(n_shapes)):  # the red one last, on top
        cover = _cover(shapes[:, i], on_grid(middle[:, :, i]), on_grid(radius[:, i]), angle[:, i])
        image += (paint[:, i, :, None, None] - image) * cover[:, None]
    image += rng.standard_normal(image.shape, np.float32) * np.float32(NOISE)
    pixels = np.rint(np.clip(image, 0, 1) * np.float32(255)).astype(np.uint8)
    return pixels, y.astype(np.int64), cover >= 0.5


def _cover(shapes: np.ndarray, middle: np.ndarray, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """How much of each pixel (N, 32, 32) a turned shape covers, in [0, 1]; `middle` (2, N) is its column and row."""
    line = np.arange(SIDE, dtype=np.float32)
    across = line[None, None, :] - middle[0, :, None, None]
    along = line[None, :, None] - middle[1, :, None, None]
    cos, sin = on_grid(np.cos(angle))[:, None, None], on_grid(np.sin(angle))[:, None, None]
    u, v = cos * across + sin * along, cos * along - sin * across
    inside = np.empty(u.shape, np.float32)
    for shape, distance in enumerate((_circle, _square, _triangle, _plus)):
        these = shapes == shape
        inside[these] = distance(u[these], v[these], radius[these, None, None])
    return np.clip(inside + np.float32(0.5), 0, 1)


def _circle(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """How far u, v lies inside, in pixels; negative outside. So for all shapes."""
    depth: np.ndarray = radius - np.sqrt(u * u + v * v)
    return depth


def _square(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    depth: np.ndarray = np.float32(0.88) * radius - np.maximum(np.abs(u), np.abs(v))
    return depth


def _triangle(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Its tip is up."""
    depth: np.ndarray = np.minimum(np.float32(0.62) * radius - v, np.float32(0.5) * (v + radius) - np.float32(0.9) * np.abs(u))
    return depth


def _plus(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    width, u, v = np.float32(0.36) * radius, np.abs(u), np.abs(v)
    depth: np.ndarray = np.maximum(np.minimum(width - u, radius - v), np.minimum(width - v, radius - u))
    return depth
