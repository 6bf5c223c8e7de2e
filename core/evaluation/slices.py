"""How good a model is on parts of a split: by class, by a feature, by brightness, by length."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.data.dataset import DataProfile, Split, Splits
from core.data.fit import gaps
from core.data.gallery import SplitName, split_named
from core.metrics.intervals import p_of_difference, score_of
from core.metrics.statistics import holm
from core.results.error_gallery import absolute_errors
from core.results.predictions import Predictions
from core.results.slices import Slices

BINS = 4
"""Parts of a column of numbers, with equally many examples each."""
MOST_COLUMNS = 30
CHUNK = 2_000
"""Images whose brightness is counted at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some examples of a split: those for which `criterion` is `name`."""

    criterion: str
    name: str
    members: np.ndarray


def slices(found: Predictions, splits: Splits, split: SplitName, places: np.ndarray | None = None) -> Slices:
    """Scores of all parts of a split.

    Args:
        places: of points, where they lie (N, 2); else what the model is told of them stands in.
    """
    is_regression = found.log_probabilities is None
    outcomes = absolute_errors(found) if is_regression else found.predicted == found.labels
    original, profile = originals_of(splits, split)
    parts = [part for part in _parts(found, splits, original, profile, places) if len(part.members)]
    scores = np.array([score_of(outcomes[part.members]) for part in parts], np.float64).reshape(-1, 3)
    p = [p_of_difference(outcomes[part.members], np.delete(outcomes, part.members)) for part in parts]
    corrected = holm(p)
    order = _worst_first(scores, is_regression)
    return Slices(
        split=split,
        step=found.step,
        criteria=tuple(parts[i].criterion for i in order),
        names=tuple(parts[i].name for i in order),
        n=np.array([len(parts[i].members) for i in order], np.int64),
        score=scores[order, 0],
        low=scores[order, 1],
        high=scores[order, 2],
        p=np.array(p)[order],
        p_holm=np.array(corrected)[order],
        members=tuple(parts[i].members.astype(np.int32) for i in order),
        overall=score_of(outcomes)[0],
        n_examples=len(outcomes),
        target_name=found.target_name,
        is_regression=is_regression,
        left_out=profile.feature_names[MOST_COLUMNS:] if profile.modality == "tabular" else (),
    )


def originals_of(splits: Splits, split: SplitName) -> tuple[Split, DataProfile]:
    """A split as it was before any preparation, and what was known of it then."""
    if splits.originals is None or splits.original_profile is None:
        return split_named(splits, split), splits.profile
    return splits.originals[("train", "validation", "test").index(split)], splits.original_profile


def _parts(
    found: Predictions, splits: Splits, original: Split, profile: DataProfile, places: np.ndarray | None
) -> Iterator[Part]:
    """All parts, criterion by criterion."""
    if found.class_names:
        for label, name in enumerate(found.class_names):
            yield Part("class", name, np.flatnonzero(found.labels == label))
    elif found.targets is not None:
        yield from quantile_parts(found.target_name or "target", found.targets)
    yield from _input_parts(splits, original, profile, places)


def _input_parts(splits: Splits, original: Split, profile: DataProfile, places: np.ndarray | None) -> Iterator[Part]:
    """Parts by what is seen of the examples."""
    if profile.modality == "image":
        yield from quantile_parts("brightness (0 to 255)", brightness(original.x, splits.brightest))
    elif profile.modality == "sequence":
        yield from quantile_parts("length in tokens", (original.x != 0).sum(1).astype(np.float64))
    elif places is not None:
        for column, name in enumerate(("x1", "x2")):
            yield from quantile_parts(name, places[:, column])
    else:
        for column in range(min(MOST_COLUMNS, original.x.shape[1])):
            categories = profile.categories[column] if profile.categories else ()
            yield from column_parts(profile.feature_names[column], original.x[:, column], categories)


def brightness(x: np.ndarray, brightest: int) -> np.ndarray:
    """Mean over all pixels and colours of images (N, C, H, W), (N,) float64 from 0 to 255."""
    found = [x[start : start + CHUNK].mean((1, 2, 3), dtype=np.float64) for start in range(0, len(x), CHUNK)]
    return np.concatenate([*found, np.zeros(0)]) * (255 / brightest)


def column_parts(name: str, values: np.ndarray, categories: tuple[str, ...]) -> Iterator[Part]:
    """Parts by one column of a table: its categories, or quarters of its numbers; examples with a gap apart."""
    is_gap = gaps(values[:, None], (categories,))[:, 0]
    if categories:
        for number, category in enumerate(categories):
            yield Part(name, category, np.flatnonzero(~is_gap & (values == number)))
    else:
        yield from quantile_parts(name, np.where(is_gap, np.nan, values.astype(np.float64)))
    if is_gap.any():
        yield Part(name, "missing", np.flatnonzero(is_gap))


def quantile_parts(name: str, values: np.ndarray) -> Iterator[Part]:
    """Quarters of some numbers (N,), as pandas.qcut cuts them; a part for each of few values; one value and the others where
    most are equal.
    """
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    if len(distinct) <= BINS:
        for value in distinct:
            yield Part(name, f"{value:.4g}", np.flatnonzero(values == value))
        return
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, BINS + 1)))
    if len(edges) == 2:
        most = np.median(finite)
        yield Part(name, f"{most:.4g}", np.flatnonzero(values == most))
        yield Part(name, f"other than {most:.4g}", np.flatnonzero(np.isfinite(values) & (values != most)))
        return
    for i, (low, high) in enumerate(pairwise(edges)):
        is_inside = (values > low) & (values <= high) if i else (values >= low) & (values <= high)
        words = f"above {low:.4g}, to {high:.4g}" if i else f"{low:.4g} to {high:.4g}"
        yield Part(name, words, np.flatnonzero(is_inside))


def _worst_first(scores: np.ndarray, is_regression: bool) -> np.ndarray:
    """By the good end of the interval, or the score where there is none: few examples alone make no part the worst."""
    good_end = np.where(np.isfinite(scores[:, 1]), scores[:, 1], -np.inf) if is_regression else scores[:, 2]
    return np.lexsort((scores[:, 0] * (-1 if is_regression else 1), -good_end if is_regression else good_end))
