"""The examples of a split that activate one unit most."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import Example, SplitName, example, split_named
from core.errors import NotApplicable
from core.inspection.activation_statistics import unit_axis
from core.inspection.receptive_field import field_spans
from core.models.model import ModelSpec, layer_name
from core.results.top_examples import TopExamples
from core.seeds import numpy_stream
from core.types import Report

if TYPE_CHECKING:
    from torch import nn

LIMIT = 2_000
"""Of a larger split so many examples are looked at."""
AT_ONCE = 64


def sample_of(n: int, most: int, seed: int) -> np.ndarray:
    """Positions (≤ most,) int64 of a split of `n` examples, rising: all, or a sample by the seed."""
    if n <= most:
        return np.arange(n)
    return np.sort(numpy_stream(seed, "probe").permutation(n)[:most])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which unit, and how many examples of which split."""

    split: SplitName
    layer: int
    unit: int
    n: int = 12
    seed: int = 0
    """Of the sample, where the split is larger than what is looked at."""


def top_examples(module: "nn.Sequential", spec: ModelSpec, splits: Splits, wanted: Wanted, report: Report) -> TopExamples:
    """The examples for which a unit gives most, by its largest value over all places.

    Works on a copy, in evaluation mode, and runs no further than to this layer. `step` is for the caller to fill in.
    """
    split, layer = wanted.split, wanted.layer
    looked = sample_of(len(split_named(splits, split)), LIMIT, wanted.seed)
    values, places, shape = _strongest_places(module[: layer + 1], splits, split, looked, wanted.unit, report)
    order = np.argsort(-values, kind="stable")[: wanted.n]
    chosen = [example(splits, split, int(index)) for index in looked[order]]
    is_regression = splits.profile.task == "regression"
    return TopExamples(
        split=split,
        layer_name=layer_name(spec.layers, (layer,)),
        unit=wanted.unit,
        values=values[order],
        indices=looked[order],
        places=_unravelled(places[order], shape),
        fields=_fields(spec, splits, layer, places[order], shape),
        labels=np.array([one.label for one in chosen], np.int64),
        class_names=splits.profile.class_names,
        n_looked=len(looked),
        n_split=len(split_named(splits, split)),
        active_share=float((values > 0).mean()),
        mean=float(values.mean()),
        step=0,
        targets=tuple(float(one.target or 0.0) for one in chosen) if is_regression else (),
        target_name=splits.profile.target_name,
        **_shown(chosen, places[order], shape),
    )


def _strongest_places(
    stack: "nn.Sequential", splits: Splits, split: SplitName, looked: np.ndarray, unit: int, report: Report
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Of each example the unit's largest value (N,) float32 and its flat place (N,), and the shape of the places."""
    import torch

    quiet = copy.deepcopy(stack).eval()
    x = split_named(splits, split).x
    values, places = np.empty(len(looked), np.float32), np.empty(len(looked), np.int64)
    shape: tuple[int, ...] = ()
    report(0, len(looked))
    with torch.inference_mode():
        for start in range(0, len(looked), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            output = quiet(torch.from_numpy(splits.model_input(x[looked[part]]))).float()
            answers = output.select(unit_axis(output.ndim), unit)  # (N, *places)
            shape = tuple(answers.shape[1:])
            found = answers.reshape(len(answers), -1).max(1)
            values[part], places[part] = found.values.numpy(), found.indices.numpy()
            report(min(len(looked), start + AT_ONCE), len(looked))
    return np.nan_to_num(values, nan=-np.inf), places, shape


def _unravelled(places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Flat places (K,) as row and column (K, 2), -1 for an axis that is not there."""
    found = np.full((len(places), 2), -1, np.int64)
    for axis, along in enumerate(np.unravel_index(places, shape) if shape else ()):
        found[:, axis] = along
    return found


def _fields(spec: ModelSpec, splits: Splits, layer: int, places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    fields = np.full((len(places), 4), -1, np.int64)
    if len(shape) != 2:
        return fields
    try:
        rows, columns = field_spans(spec.layers, splits.profile.input_shape, (layer,))
    except NotApplicable:
        return fields
    row, column = np.unravel_index(places, shape)
    fields[:, :2], fields[:, 2:] = rows[row], columns[column]
    return fields


def _shown(chosen: list[Example], places: np.ndarray, shape: tuple[int, ...]) -> dict[str, Any]:
    """What a person looks at."""
    first = chosen[0]
    if first.pixels is not None:
        return {"pixels": np.stack([one.pixels for one in chosen if one.pixels is not None])}
    if first.raw is not None:
        return {"raw": np.concatenate([one.raw[None] for one in chosen if one.raw is not None]), "raw_names": first.raw_names}
    if first.text is not None:
        texts = tuple(one.text or "" for one in chosen)
        same = len(shape) == 1 and shape[0] == len(first.tokens)
        words = tuple(one.tokens[place] if same else "" for one, place in zip(chosen, places, strict=True))
        return {"texts": texts, "words": words}
    return {"raw": np.concatenate([one.x for one in chosen])}
