"""Single examples to look at, and a background of many to compare with."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.data.dataset import DatasetChoice, Split, Splits
from core.data.split import stratified_order
from core.errors import SpecError
from core.results.examples import ExampleGallery
from core.seeds import numpy_stream

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Example:
    """One example. `x` (1, *shape) float32 as the model receives it and `label`, its class.

    Images also have `pixels` (H, W) or (H, W, 3) uint8, tables also `raw` (F,) float32, the values before scaling.
    """

    x: np.ndarray
    label: int
    pixels: np.ndarray | None = None
    raw: np.ndarray | None = None


def gallery(choice: DatasetChoice, seed: int, split: SplitName, n: int) -> ExampleGallery:
    """The first `n` examples of one split with the classes in turn, or all of them where there are fewer. Loads the data."""
    return gallery_of(choice.splits(seed), split, n)


def gallery_of(splits: Splits, split: SplitName, n: int) -> ExampleGallery:
    """As `gallery`, of data that are already loaded."""
    chosen = split_named(splits, split)
    indices = _classes_in_turn(chosen.y)[:n]
    x = chosen.x[indices]
    return ExampleGallery(
        split=split,
        values=splits.model_input(x),
        labels=chosen.y[indices],
        indices=indices,
        class_names=splits.profile.class_names,
        feature_names=splits.profile.feature_names,
        pixels=_pixels(splits, x),
        raw=_raw(splits, x),
    )


def example(splits: Splits, split: SplitName, index: int) -> Example:
    """The example at `index` of one split.

    Raises:
        SpecError: the split has no such index; the message has both numbers.
    """
    chosen = split_named(splits, split)
    if not 0 <= index < len(chosen):
        raise SpecError(
            f"There is no example {index:,} in the {split} split, it has {len(chosen):,}.",
            hint=f"Choose one from 0 to {len(chosen) - 1:,}.",
        )
    x = chosen.x[index : index + 1]
    pixels, raw = _pixels(splits, x), _raw(splits, x)
    return Example(
        x=splits.model_input(x),
        label=int(chosen.y[index]),
        pixels=None if pixels is None else pixels[0],
        raw=None if raw is None else raw[0],
    )


def background(splits: Splits, n: int, seed: int) -> np.ndarray:
    """`n` training examples (n, *shape) float32 as the model receives them, stratified and picked by the seed.

    All of them, shuffled, where there are fewer.
    """
    order = stratified_order(splits.train.y, numpy_stream(seed, "explain"))
    return splits.model_input(splits.train.x[order[:n]])


def split_named(splits: Splits, split: SplitName) -> Split:
    """The split of this name."""
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}[split]


def _classes_in_turn(y: np.ndarray) -> np.ndarray:
    """All positions (N,) int64: the first of each class, then the second of each, and so on."""
    counts = np.bincount(y)
    by_class = np.argsort(y, kind="stable")
    rank = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    return by_class[np.lexsort((y[by_class], rank))]


def _pixels(splits: Splits, x: np.ndarray) -> np.ndarray | None:
    """Images (N, C, H, W) as (N, H, W) or (N, H, W, 3) uint8 from 0 to 255; None for other data."""
    if splits.profile.modality != "image":
        return None
    grey = np.rint(x * (255 / splits.brightest)).astype(np.uint8)
    return grey[:, 0] if x.shape[1] == 1 else grey.transpose(0, 2, 3, 1)


def _raw(splits: Splits, x: np.ndarray) -> np.ndarray | None:
    """Table rows (N, F) in their own units; None for other data."""
    return x if splits.profile.modality == "tabular" else None
