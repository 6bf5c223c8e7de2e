"""ROC and precision-recall curves, each class against the rest, with the areas under them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWN = 400
"""Points of a curve that are kept, at most; areas are those of the whole curve."""
GRID = 201


@dataclass(frozen=True, slots=True)
class ClassCurves:
    """Curves of one class against the rest: `roc` (2, P) false and true positive rate, `pr` (2, Q) recall and precision.

    Empty, with an area of NaN, where the class is never or always there.
    """

    roc: Floats
    auc: float
    pr: Floats
    average_precision: float


def class_curves(scores: Floats, is_positive: NDArray[np.bool_]) -> ClassCurves:
    """Curves over all thresholds on the scores (N,). Precision starts, by convention, at 1 for a recall of 0."""
    from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

    nothing = np.zeros((2, 0))
    if not is_positive.any() or is_positive.all():
        return ClassCurves(nothing, np.nan, nothing, np.nan)
    false_rates, true_rates, _ = roc_curve(is_positive, scores)
    precision, recall, _ = precision_recall_curve(is_positive, scores)
    return ClassCurves(
        thinned(np.stack([false_rates, true_rates])),
        float(auc(false_rates, true_rates)),
        thinned(np.stack([recall[::-1], precision[::-1]])),
        float(average_precision_score(is_positive, scores)),
    )


def thinned(curve: Floats, n: int = DRAWN) -> Floats:
    """At most n points of a curve (2, P), its ends among them, evenly along its way."""
    if curve.shape[1] <= n:
        return curve
    steps = np.abs(np.diff(curve, axis=1)).sum(0)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.searchsorted(way, np.linspace(0, way[-1], n))
    places[0], places[-1] = 0, curve.shape[1] - 1
    return curve[:, np.unique(places)]


def macro_roc(curves: list[ClassCurves]) -> Floats:
    """The mean true positive rate (2, 201) over an even grid of false positive rates; empty without any curve."""
    there = [curve.roc for curve in curves if curve.roc.shape[1]]
    if not there:
        return np.zeros((2, 0))
    grid = np.linspace(0, 1, GRID)
    mean = np.mean([np.interp(grid, *roc) for roc in there], axis=0)
    return np.stack([np.concatenate([[0.0], grid]), np.concatenate([[0.0], mean])])
