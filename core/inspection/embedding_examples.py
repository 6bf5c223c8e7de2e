"""What is told of the examples of a picture book: small pictures, or one line each."""

import numpy as np

from core.results.examples import ExampleGallery

SMALL_SIDE, SMALL_BYTES = 32, 1_500_000
"""How small the pictures of the examples are made: their longer side, and all of them together."""
COLUMNS_TOLD, CHARACTERS_TOLD = 4, 140
"""Columns of a table that are told of an example, and characters of its line."""


def small(pixels: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, 3) uint8 made small by means over blocks, so that all fit a picture book."""
    per_pixel = pixels.shape[0] * (3 if pixels.ndim == 4 else 1)
    side = min(SMALL_SIDE, int((SMALL_BYTES / per_pixel) ** 0.5))
    height, width = pixels.shape[1:3]
    block = -(-max(height, width) // max(1, side))
    if block == 1:
        return pixels
    rows, columns = max(1, height // block), max(1, width // block)
    cut = pixels[:, : rows * block, : columns * block]
    blocks = cut.reshape(len(pixels), rows, cut.shape[1] // rows, columns, cut.shape[2] // columns, *pixels.shape[3:])
    smaller: np.ndarray = np.rint(blocks.mean((2, 4))).astype(np.uint8)
    return smaller


def told(shown: ExampleGallery) -> tuple[str, ...]:
    """One line per example of data that are no images: its text, or its first numbers."""
    if shown.pixels is not None:
        return ()
    if shown.texts is not None:
        return tuple(text[:CHARACTERS_TOLD] for text in shown.texts)
    rows, names = (shown.values, shown.feature_names) if shown.raw is None else (shown.raw, shown.raw_names)
    kinds = shown.raw_categories if shown.raw is not None else ()
    lines = []
    for row in rows.reshape(len(rows), -1)[:, :COLUMNS_TOLD]:
        parts = [
            f"{name} {_value(value, kinds[i] if kinds else ())}"
            for i, (name, value) in enumerate(zip(names, row, strict=False))
        ]
        lines.append(", ".join(parts)[:CHARACTERS_TOLD])
    return tuple(lines)


def _value(value: float, categories: tuple[str, ...]) -> str:
    if not np.isfinite(value):
        return "–"
    return categories[int(value)] if categories and 0 <= int(value) < len(categories) else f"{value:.4g}"
