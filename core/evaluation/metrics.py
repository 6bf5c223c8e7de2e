"""All figures of one split, with intervals over resampled examples, from what a model says of every example."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.evaluation.predictions import refuse_unless_finite
from core.metrics import classification, regression
from core.metrics.bootstrap import N_RESAMPLES, Floats, Report, no_report, percentile_interval, resampled
from core.metrics.calibration import (
    at_temperature,
    bin_edges,
    expected_calibration_error,
    fitted_temperature,
    reliability,
)
from core.metrics.curves import class_curves, macro_roc
from core.metrics.regression import NumberFigures, histogram
from core.metrics.resampling import AreaFigures, ClassFigures
from core.metrics.thresholds import decisions
from core.results.evaluation import Evaluation, NumberEvaluation
from core.results.predictions import Predictions

FEWEST = 200
"""Resamples of areas under curves, at least: each costs a pass over all examples for every class."""
AREA_BUDGET, AREA_LIMIT = 10_000_000, 100_000_000
"""Resamples times examples times classes: what is taken, and above what the fewest would cost too much: no interval then."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made. `n` 0: none. `report()` is called often."""

    n: int = N_RESAMPLES
    seed: int = 0
    report: Report = no_report


def evaluation(found: Predictions, validation: Predictions, how: Resampling) -> Evaluation | NumberEvaluation:
    """All figures of a split. The temperature and the reference thresholds come from the validation split.

    Raises:
        NotApplicable: the model says something that is no number, as after a training that diverged.
    """
    _finite(found)
    if found.log_probabilities is None:
        return _numbers(found, how)
    _finite(validation)
    return _classes(found, validation, how)


def _classes(found: Predictions, validation: Predictions, how: Resampling) -> Evaluation:
    labels, log_probabilities = found.labels, np.asarray(found.log_probabilities)
    n_classes = len(found.class_names)
    scores, support, n_predicted = classification.by_class(labels, found.predicted, n_classes)
    curves = []
    for k in range(n_classes):
        how.report()
        curves.append(class_curves(log_probabilities[:, k], labels == k))
    areas = np.array([[curve.auc, curve.average_precision] for curve in curves])
    values = classification.headline(labels, log_probabilities) | {
        name: _mean(areas[:, i]) for i, name in enumerate(AreaFigures.names)
    }
    intervals, class_low, class_high = _class_intervals(labels, log_probabilities, how)
    return Evaluation(
        split=found.split,
        step=found.step,
        class_names=found.class_names,
        names=tuple(values),
        values=np.array(list(values.values())),
        **_ends(tuple(values), intervals),
        support=support,
        n_predicted=n_predicted,
        by_class=np.column_stack([scores, areas]),
        by_class_low=class_low,
        by_class_high=class_high,
        roc=np.concatenate([curve.roc for curve in curves], axis=1),
        roc_starts=_starts([curve.roc for curve in curves]),
        macro_roc=macro_roc(curves),
        pr=np.concatenate([curve.pr for curve in curves], axis=1),
        pr_starts=_starts([curve.pr for curve in curves]),
        **_calibration(labels, log_probabilities, validation),
        **_cuts(found, validation),
    )


Intervals = dict[str, tuple[float, float, int]]


def _class_intervals(labels: np.ndarray, log_probabilities: Floats, how: Resampling) -> tuple[Intervals, Floats, Floats]:
    """Ends by name, and those (K, 3) of precision, recall and F1 of each class."""
    n, n_classes = log_probabilities.shape
    nothing = np.full((n_classes, 3), np.nan)
    if how.n == 0 or n < 2:
        return {}, nothing, nothing
    counted, areas = ClassFigures(labels, log_probabilities), AreaFigures(labels, log_probabilities)
    m = len(counted.names)
    low, high, n_defined = percentile_interval(resampled(counted, n, how.n, seed=how.seed, report=how.report))
    found = _named(counted.names, low, high, n_defined)
    cost = n * n_classes
    if cost * min(FEWEST, how.n) <= AREA_LIMIT:
        n_areas = min(how.n, max(FEWEST, AREA_BUDGET // cost))
        ends = percentile_interval(resampled(areas, n, n_areas, seed=how.seed, report=how.report))
        found |= _named(areas.names, *ends)
    return found, low[m:].reshape(n_classes, 3), high[m:].reshape(n_classes, 3)


def _numbers(found: Predictions, how: Resampling) -> NumberEvaluation:
    targets, predicted = np.asarray(found.targets), np.asarray(found.values)
    values = regression.headline(targets, predicted)
    intervals: Intervals = {}
    if how.n and len(targets) > 1:
        samples = resampled(NumberFigures(targets, predicted), len(targets), how.n, seed=how.seed, report=how.report)
        intervals = _named(regression.NAMES, *percentile_interval(samples))
    edges, counts = histogram(targets - predicted)
    return NumberEvaluation(
        split=found.split,
        step=found.step,
        target_name=found.target_name,
        names=tuple(values),
        values=np.array(list(values.values())),
        **_ends(tuple(values), intervals),
        targets=targets,
        predicted=predicted,
        edges=edges,
        counts=counts,
    )


def _calibration(labels: np.ndarray, log_probabilities: Floats, validation: Predictions) -> dict[str, Any]:
    """Reliability as the model is and with its temperature scaled."""
    temperature, note = fitted_temperature(np.asarray(validation.log_probabilities), validation.labels)
    scaled = at_temperature(log_probabilities, temperature)
    both = [reliability(log_probabilities, labels), reliability(scaled, labels)]
    after = (
        classification.log_losses(labels, scaled).mean(),
        classification.brier_scores(labels, scaled).mean(),
        expected_calibration_error(both[1]),
    )
    return {
        "bin_edges": bin_edges(),
        "bin_counts": np.stack([one.counts for one in both]),
        "bin_confidence": np.stack([one.confidence for one in both]),
        "bin_accuracy": np.stack([one.accuracy for one in both]),
        "temperature": temperature,
        "temperature_note": note,
        "scaled": np.array(after),
    }


def _cuts(found: Predictions, validation: Predictions) -> dict[str, Any]:
    """Two classes: what each threshold decides, for each as the positive class."""
    if len(found.class_names) != 2:
        return {}
    support = np.bincount(validation.labels, minlength=2).tolist()
    return {
        "cuts": _both_cuts(found),
        "validation_cuts": _both_cuts(validation),
        "validation_support": tuple(support),
    }


def _both_cuts(found: Predictions) -> tuple[np.ndarray, ...]:
    both = [decisions(found.probabilities[:, k], found.labels == k) for k in range(2)]
    return tuple(np.stack([one.thresholds, one.true_positives, one.false_positives]) for one in both)


def _named(names: tuple[str, ...], low: Floats, high: Floats, n_defined: np.ndarray) -> Intervals:
    return {name: (float(low[i]), float(high[i]), int(n_defined[i])) for i, name in enumerate(names)}


def _ends(names: tuple[str, ...], intervals: Intervals) -> dict[str, Any]:
    """The intervals in the order of the figures; NaN where there is none."""
    rows = [intervals.get(name, (np.nan, np.nan, 0)) for name in names]
    low, high, resamples = (np.array(column) for column in zip(*rows, strict=True))
    return {"low": low, "high": high, "resamples": resamples.astype(np.int64)}


def _starts(curves: list[Floats]) -> np.ndarray:
    return np.cumsum([0, *(curve.shape[1] for curve in curves)])


def _mean(values: Floats) -> float:
    """Of those that are defined."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def _finite(found: Predictions) -> None:
    said = found.values if found.log_probabilities is None else found.log_probabilities
    refuse_unless_finite(bool(np.isfinite(np.asarray(said)).all()))
