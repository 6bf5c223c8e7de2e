"""One method over many examples: contributions of all columns, mean maps of classes, mean contributions of words."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import SplitName, example, split_named
from core.data.split import stratified_order
from core.explanation.columns import Column, own_values
from core.explanation.explainer import ExplainerChoice, Subject
from core.explanation.importance import judge_of, permutation_importance
from core.explanation.prepared import feature_values
from core.explanation.tally import Tally
from core.results.attribution import Attribution
from core.results.global_view import GlobalMaps, GlobalView, GlobalWords
from core.seeds import numpy_stream

MOST_SHUFFLED = 1000
"""Examples of the split whose columns are shuffled."""


def sampled(splits: Splits, split: SplitName, n: int, seed: int) -> np.ndarray:
    """At most `n` places in a split (n,) int64, rising, with classes as in the whole."""
    order = stratified_order(split_named(splits, split).y, numpy_stream(seed, "explain"))
    return np.sort(order[:n])


@dataclass(frozen=True, slots=True)
class Many:
    """Examples of one split, asked about one by one. `subject` has the model, the background and what is asked."""

    subject: Subject
    splits: Splits
    split: SplitName
    indices: np.ndarray

    def subjects(self, *, own_class: bool = False) -> Iterator[Subject]:
        """The subject with each example in its place, and with its own class as target where that is wanted."""
        import torch

        is_image = self.splits.profile.modality == "image"
        for index in self.indices:
            one = example(self.splits, self.split, int(index))
            yield replace(
                self.subject,
                x=torch.from_numpy(one.x),
                pixels=one.pixels if is_image else None,
                feature_values=None if is_image else feature_values(self.splits, one),
                tokens=one.tokens,
                evidence=one.evidence,
                target=one.label if own_class else self.subject.target,
            )

    def attributions(
        self, explainer: ExplainerChoice, tally: Tally, *, own_class: bool = False
    ) -> Iterator[tuple[Subject, Attribution]]:
        """The explanation of each."""
        for subject in self.subjects(own_class=own_class):
            yield subject, tally.run(explainer, subject)


def global_view(many: Many, explainer: ExplainerChoice, columns: Sequence[Column], n_repeats: int, tally: Tally) -> GlobalView:
    """Contributions to one answer over many examples of a table, and the permutation importance of each column."""
    began = time.perf_counter()
    subject, splits = many.subject, many.splits
    split = split_named(splits, many.split)
    found = [one for _subject, one in many.attributions(explainer, tally)]
    per_input = np.stack([np.asarray(one.values if one.players is None else one.players, float) for one in found])
    contributions = np.stack([per_input[:, list(column.places)].sum(1) for column in columns], 1)
    rows = splits.model_input(split.x[many.indices])
    shuffled = sampled(splits, many.split, MOST_SHUFFLED, subject.seed)
    is_number = subject.task == "regression"
    y = split.y[shuffled]
    targets = y.astype(np.float64) * splits.target_scale + splits.target_shift if is_number else y
    rng = numpy_stream(subject.seed, "explain", 1)
    orders = np.stack([rng.permutation(len(shuffled)) for _ in range(n_repeats)])
    importance = permutation_importance(
        judge_of(subject, targets), splits.model_input(split.x[shuffled]), columns, orders, tally.add
    )
    return GlobalView(
        columns=tuple(column.name for column in columns),
        categories=tuple(column.categories for column in columns),
        contributions=contributions,
        values=np.stack([own_values(splits, column, rows) for column in columns], 1),
        mean_sizes=np.abs(contributions).mean(0),
        outputs=np.array([one.output for one in found]),
        base=float(np.mean([one.base or 0.0 for one in found])),
        indices=many.indices,
        labels=np.full(len(found), -1) if is_number else split.y[many.indices],
        split=many.split,
        class_names=splits.profile.class_names,
        target_name=subject.target_name,
        unit=found[0].unit,
        stderr=max(0.0 if one.stderr is None else float(one.stderr.max()) for one in found),
        losses=importance.losses,
        scores=importance.scores,
        loss=importance.loss,
        score=importance.score,
        loss_unit=splits.profile.target_name if is_number else "nats",
        score_name="R²" if is_number else "accuracy",
        n_shuffled=len(shuffled),
        n_evaluations=tally.done,
        seconds=time.perf_counter() - began,
        step=subject.step,
    )


def global_maps(many: Many, explainer: ExplainerChoice, tally: Tally) -> GlobalMaps:
    """The mean size of the attribution of each class's own answer, over the examples of this class."""
    began = time.perf_counter()
    names = many.splits.profile.class_names
    maps: list[np.ndarray | None] = [None] * len(names)
    pictures: list[np.ndarray | None] = [None] * len(names)
    counts = np.zeros(len(names), np.int64)
    label = unit = ""
    for subject, one in many.attributions(explainer, tally, own_class=True):
        kind = subject.target
        size, picture = np.abs(one.values).astype(np.float64), np.asarray(subject.pixels, np.float64)
        before, mean = maps[kind], pictures[kind]
        maps[kind] = size if before is None else before + size
        pictures[kind] = picture if mean is None else mean + picture
        counts[kind] += 1
        label, unit = one.label, one.unit
    some_map = next(one for one in maps if one is not None)
    some_picture = next(one for one in pictures if one is not None)
    shares = np.maximum(counts, 1)
    return GlobalMaps(
        label=label,
        unit=unit,
        maps=_stacked(maps, some_map, shares).astype(np.float32),
        pictures=np.rint(_stacked(pictures, some_picture, shares)).astype(np.uint8),
        counts=counts,
        class_names=names,
        split=many.split,
        n_evaluations=tally.done,
        seconds=time.perf_counter() - began,
        step=many.subject.step,
    )


def _stacked(sums: list[np.ndarray | None], like: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means (C, ...); zeros where there is nothing."""
    means = [np.zeros_like(like) if one is None else one / n for one, n in zip(sums, counts, strict=True)]
    return np.stack(means)


def global_words(many: Many, explainer: ExplainerChoice, tally: Tally) -> GlobalWords:
    """The mean contribution of each word over all its occurrences in some texts."""
    began = time.perf_counter()
    by_word: dict[str, list[float]] = {}
    label = unit = ""
    for subject, one in many.attributions(explainer, tally):
        for token, value in zip(subject.tokens, np.asarray(one.values, float), strict=True):
            if token:
                by_word.setdefault(token, []).append(float(value))
        label, unit = one.label, one.unit
    means = {word: float(np.mean(values)) for word, values in by_word.items()}
    words = tuple(sorted(means, key=lambda word: (-abs(means[word]), word)))
    return GlobalWords(
        label=label,
        unit=unit,
        target_name=many.subject.target_name,
        words=words,
        means=np.array([means[word] for word in words]),
        spreads=np.array([_standard_error(by_word[word]) for word in words]),
        counts=np.array([len(by_word[word]) for word in words], np.int64),
        n_texts=len(many.indices),
        split=many.split,
        n_evaluations=tally.done,
        seconds=time.perf_counter() - began,
        step=many.subject.step,
    )


def _standard_error(values: list[float]) -> float:
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
