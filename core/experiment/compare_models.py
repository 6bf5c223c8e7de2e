"""Which two things may be compared by which test: lanes of a cross-validation, two of them, two runs over seeds, two models."""

import itertools

import numpy as np

from core.errors import NotApplicable
from core.experiment.comparison_words import Compared, Figure, by_examples, corrected, paired
from core.metrics.comparison import folds_comparison, folds_estimate, mcnemar
from core.metrics.statistics import Estimate, Floats, Paired, paired_comparison
from core.results.cross_validation import CrossValidation
from core.results.predictions import Predictions


def fold_estimates(found: CrossValidation) -> tuple[Estimate, ...]:
    """Mean score of each lane over the folds, after the last step, with its corrected 95 % interval."""
    return tuple(folds_estimate(row, found.ratio) for row in found.last_score)


def lanes_over_folds(found: CrossValidation) -> tuple[Compared, ...]:
    """The lane with the best mean score against each other one, corrected for all pairs of lanes; none for one lane."""
    means = [one.mean for one in fold_estimates(found)]
    known = [lane for lane, mean in enumerate(means) if np.isfinite(mean)]
    if len(known) < 2:
        return ()
    best = max(known, key=lambda lane: means[lane])
    pairs = [(b, a) if b == best else (a, b) for a, b in itertools.combinations(known, 2)]
    tests = [
        paired(found.lanes[a], found.lanes[b], _score(found), "folds", _over_folds(found, a, found, b)) for a, b in pairs
    ]  # fmt: skip
    return tuple(one for (a, _b), one in zip(pairs, corrected(tests), strict=True) if a == best)


def over_folds(names: tuple[str, str], first: tuple[CrossValidation, int], second: tuple[CrossValidation, int]) -> Compared:
    """A lane of one cross-validation against a lane of another one, fold by fold.

    Raises:
        NotApplicable: their folds are not the same.
    """
    (a, lane_a), (b, lane_b) = first, second
    if not a.has_same_folds(b):
        raise NotApplicable(
            "These two cross-validations have other folds: they cannot be paired.",
            hint="Use the same data, the same seed and the same number of folds for both.",
        )
    return paired(*names, _score(a), "folds", _over_folds(a, lane_a, b, lane_b))


def over_seeds(names: tuple[str, str], first: Floats, second: Floats, figure: Figure) -> Compared:
    """A lane of one run against a lane of another one, seed by seed: figures (repeats,) of both, as many as both have."""
    n = min(len(first), len(second))
    return paired(*names, figure, "seeds", paired_comparison(first[:n], second[:n]))


def over_examples(names: tuple[str, str], first: Predictions, second: Predictions) -> Compared:
    """Two models on the same examples: by McNemar's test, or for numbers by how far off each prediction is.

    Raises:
        NotApplicable: the examples are not the same.
    """
    same = first.split == second.split and len(first.labels) == len(second.labels)
    if not same or not np.array_equal(first.labels, second.labels) or (first.targets is None) != (second.targets is None):
        raise NotApplicable(
            "These two models were asked about other examples.", hint="Choose runs with the same data and the same seed."
        )
    if first.values is None or second.values is None or first.targets is None:
        return by_examples(*names, mcnemar(first.predicted == first.labels, second.predicted == second.labels))
    errors = [np.abs(each.values - first.targets) for each in (first, second) if each.values is not None]
    figure = Figure("mean absolute error", is_lower_better=True, unit="number")
    return paired(*names, figure, "errors", paired_comparison(errors[0], errors[1]))


def _score(found: CrossValidation) -> Figure:
    return Figure("held-out accuracy") if found.is_accuracy else Figure("held-out R²", unit="number")


def _over_folds(a: CrossValidation, lane_a: int, b: CrossValidation, lane_b: int) -> Paired:
    return folds_comparison(a.last_score[lane_a], b.last_score[lane_b], a.ratio)
