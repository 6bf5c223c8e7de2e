"""A model beside a smaller one: what both say of a split, and what both cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.compression.choice import Compressed
from core.compression.measure import (
    BATCHES,
    Score,
    accuracy,
    counts,
    file_bytes,
    latencies,
    multiply_adds,
    r_squared,
    zero_shares,
    zipped_bytes,
)
from core.data.dataset import Splits
from core.data.gallery import SplitName, split_named
from core.evaluation.predictions import predictions
from core.metrics.statistics import paired_comparison
from core.models.model import ModelSpec, layer_name
from core.results.compression import CompressionReport
from core.results.predictions import Predictions

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Reported:
    """Of what there is a report."""

    model: ModelSpec
    smaller: ModelSpec
    split: SplitName
    kind: str
    step: int
    seed: int


def report_of(
    about: Reported, original: "nn.Sequential", made: Compressed, splits: Splits, progress: Callable[[int, int], None]
) -> CompressionReport:
    """Everything that can be said of both; times are measured here and now."""
    shape = splits.profile.input_shape
    said = [predictions(module, splits, about.split, report=progress) for module in (original, made.module)]
    shown = said[1] if made.shown is made.module else predictions(made.shown, splits, about.split, report=progress)
    scores = [scored(one, about.seed) for one in said]
    files = [file_bytes(original.state_dict()), file_bytes(made.stored)]
    numbers = np.array([counts(original), counts(made.shown)])
    work = np.array([multiply_adds(about.model, original, shape), multiply_adds(about.smaller, made.shown, shape)])
    layers = zero_shares(about.smaller, made.shown)
    x = splits.model_input(split_named(splits, about.split).x[: max(BATCHES)])
    return CompressionReport(
        kind=about.kind,
        step=about.step,
        split=about.split,
        n_examples=len(said[0].labels),
        is_accuracy=splits.profile.task == "classification",
        score=np.array([[one.value, one.low, one.high] for one in scores]),
        change=_change(*said),
        size_bytes=np.array([len(data) for data in files]),
        zipped_bytes=np.array([zipped_bytes(data) for data in files]),
        parameters=numbers[:, 0],
        nonzero=numbers[:, 1],
        multiply_adds=work[:, 0],
        useful_multiply_adds=work[:, 1],
        batches=BATCHES,
        latencies=latencies((original, made.module), x, progress),
        agreement=agreement(*said),
        difference=difference(*said),
        shown_agreement=agreement(said[1], shown),
        shown_difference=difference(said[1], shown),
        layers=tuple(layer_name(about.smaller.layers, path) for path, _, _ in layers),
        weights=np.array([pair for _, *pair in layers], np.int64).reshape(-1, 2),
        losses=np.array(made.losses),
        notes=made.notes,
    )


def scored(said: Predictions, seed: int) -> Score:
    """Accuracy or R² with its interval."""
    if said.values is not None and said.targets is not None:
        return r_squared(said.values, said.targets, seed)
    return accuracy(int((said.predicted == said.labels).sum()), len(said.labels))


def agreement(one: Predictions, other: Predictions) -> float:
    """Share of examples of which both say the same class; NaN for regression."""
    return float("nan") if one.values is not None else float((one.predicted == other.predicted).mean())


def difference(one: Predictions, other: Predictions) -> float:
    """Mean difference of probabilities over examples and classes, or of predicted numbers over examples."""
    if one.values is not None and other.values is not None:
        return float(np.abs(one.values - other.values).mean())
    return float(np.abs(one.probabilities - other.probabilities).mean())


def _change(before: Predictions, after: Predictions) -> np.ndarray:
    """By how much the accuracy changed and the interval of that, over the same examples."""
    if before.values is not None:
        return np.full(3, np.nan)
    right = [(one.predicted == one.labels).astype(np.float64) for one in (after, before)]
    found = paired_comparison(*right).difference
    return np.array([found.mean, found.low, found.high])
