"""Single examples to look at, and a background of many to compare with."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.data.dataset import DataProfile, DatasetChoice, Split, Splits
from core.data.sequence import text_of
from core.data.split import stratified_order
from core.errors import SpecError
from core.results.examples import ExampleGallery
from core.seeds import numpy_stream

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Example:
    """One example. `x` (1, *shape) as the model receives it, float32 or int64 token numbers; `label`, its class, -1 for
    regression.

    As it was before any preparation: images have `pixels` (H, W) or (H, W, 3) uint8, tables `raw` (F,) float32 with
    `raw_names`, sequences `text` and the `tokens` of their positions, "" for padding.
    """

    x: np.ndarray
    label: int
    pixels: np.ndarray | None = None
    raw: np.ndarray | None = None
    raw_names: tuple[str, ...] = ()
    text: str | None = None
    tokens: tuple[str, ...] = ()
    evidence: np.ndarray | None = None
    """Which part decides the class, where it is known: (H, W) or (L,) bool."""
    target: float | None = None
    """Regression: in its own unit."""


def gallery(
    choice: DatasetChoice, seed: int, split: SplitName, n: int, label: int | None = None, start: int = 0
) -> ExampleGallery:
    """At most `n` examples of one split with the classes in turn, or of one class alone. Loads the data.

    Args:
        start: how many to leave out first, for the next page.

    Raises:
        SpecError: there is no such class.
    """
    return gallery_of(choice.splits(seed), split, n, label, start)


def gallery_of(splits: Splits, split: SplitName, n: int, label: int | None = None, start: int = 0) -> ExampleGallery:
    """As `gallery`, of data that are already loaded."""
    chosen = split_named(splits, split)
    profile = splits.profile
    if label is not None and not 0 <= label < profile.n_classes:
        raise SpecError(
            f"There is no class {label}, there are {profile.n_classes}.",
            hint=f"Classes are numbered 0 to {profile.n_classes - 1}." if profile.n_classes else "Leave the class open.",
        )
    order = _classes_in_turn(chosen.y) if label is None else np.flatnonzero(chosen.y == label)
    return replace(gallery_at(splits, split, order[start : start + n]), n_matching=len(order))


def gallery_at(splits: Splits, split: SplitName, indices: np.ndarray) -> ExampleGallery:
    """The examples at these places (n,) int64 of a split, in this order."""
    chosen, profile = split_named(splits, split), splits.profile
    original, before = _original(splits, split)
    x = original.x[indices]
    is_regression = profile.task == "regression"
    return ExampleGallery(
        split=split,
        values=splits.model_input(chosen.x[indices]),
        labels=np.full(len(indices), -1, np.int64) if is_regression else chosen.y[indices],
        indices=indices,
        class_names=profile.class_names,
        feature_names=profile.feature_names,
        pixels=_pixels(splits, before, x),
        raw=x if before.modality == "tabular" else None,
        raw_names=before.feature_names if before.modality == "tabular" else (),
        raw_categories=before.categories if before.modality == "tabular" else (),
        texts=tuple(text_of(row, splits.vocabulary) for row in x) if before.modality == "sequence" else None,
        vocabulary=splits.vocabulary,
        evidence=None if original.evidence is None else original.evidence[indices],
        targets=_targets(splits, chosen.y[indices]) if is_regression else None,
        target_name=profile.target_name,
        n_matching=len(indices),
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
    original, before = _original(splits, split)
    x = original.x[index : index + 1]
    pixels = _pixels(splits, before, x)
    is_sequence, is_table = before.modality == "sequence", before.modality == "tabular"
    is_regression = splits.profile.task == "regression"
    return Example(
        x=splits.model_input(chosen.x[index : index + 1]),
        label=-1 if is_regression else int(chosen.y[index]),
        pixels=None if pixels is None else pixels[0],
        raw=x[0] if is_table else None,
        raw_names=before.feature_names if is_table else (),
        text=text_of(x[0], splits.vocabulary) if is_sequence else None,
        tokens=tuple(splits.vocabulary[number] if number else "" for number in x[0]) if is_sequence else (),
        evidence=None if original.evidence is None else original.evidence[index],
        target=float(_targets(splits, chosen.y[index : index + 1])[0]) if is_regression else None,
    )


def background(splits: Splits, n: int, seed: int) -> np.ndarray:
    """`n` training examples (n, *shape) as the model receives them, stratified and picked by the seed.

    All of them, shuffled, where there are fewer.
    """
    order = stratified_order(splits.train.y, numpy_stream(seed, "explain"))
    return splits.model_input(splits.train.x[order[:n]])


def split_named(splits: Splits, split: SplitName) -> Split:
    """The split of this name."""
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}[split]


def _original(splits: Splits, split: SplitName) -> tuple[Split, DataProfile]:
    """A split as it was before the preparation, and what was known of it then."""
    if splits.originals is None or splits.original_profile is None:
        return split_named(splits, split), splits.profile
    return splits.originals[("train", "validation", "test").index(split)], splits.original_profile


def _classes_in_turn(y: np.ndarray) -> np.ndarray:
    """All positions (N,) int64: the first of each class, then the second of each, and so on; of numbers as they are."""
    if y.dtype.kind == "f":
        return np.arange(len(y))
    counts = np.bincount(y)
    by_class = np.argsort(y, kind="stable")
    rank = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    return by_class[np.lexsort((y[by_class], rank))]


def _targets(splits: Splits, y: np.ndarray) -> np.ndarray:
    """Targets (N,) float64 in their own unit."""
    targets: np.ndarray = y.astype(np.float64) * splits.target_scale + splits.target_shift
    return targets


def _pixels(splits: Splits, before: DataProfile, x: np.ndarray) -> np.ndarray | None:
    """Images (N, C, H, W) as (N, H, W) or (N, H, W, 3) uint8 from 0 to 255; None for other data."""
    if before.modality != "image":
        return None
    grey = np.rint(x * (255 / splits.brightest)).astype(np.uint8)
    return grey[:, 0] if x.shape[1] == 1 else grey.transpose(0, 2, 3, 1)
