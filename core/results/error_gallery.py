"""Which examples of a split to look at: those behind a cell, the errors a model is surest of, the hits it is least sure of."""

from typing import Literal

import numpy as np

from core.results.predictions import Predictions

Order = Literal["confident_errors", "unsure_hits", "unsure_errors"]


def behind_cell(found: Predictions, true: int, predicted: int) -> np.ndarray:
    """Places (M,) int64 of the examples of one class that are taken for another (or for their own), the surest first."""
    return _surest_first(found, np.flatnonzero((found.labels == true) & (found.predicted == predicted)))


def telling(found: Predictions, order: Order, within: np.ndarray | None = None) -> np.ndarray:
    """Places (M,) int64 of all errors, the surest first or the least sure first; or of all hits, the least sure first.

    Args:
        within: places to choose from; None for all.
    """
    places = np.arange(len(found.labels)) if within is None else np.asarray(within)
    is_right = found.predicted[places] == found.labels[places]
    chosen = _surest_first(found, places[is_right if order == "unsure_hits" else ~is_right])
    return chosen if order == "confident_errors" else chosen[::-1]


def furthest_off(found: Predictions, within: np.ndarray | None = None) -> np.ndarray:
    """Regression: places (M,) int64, first where the predicted number lies furthest from the right one."""
    places = np.arange(len(found.labels)) if within is None else np.asarray(within)
    order = np.argsort(-absolute_errors(found)[places], kind="stable")
    worst: np.ndarray = places[order]
    return worst


def absolute_errors(found: Predictions) -> np.ndarray:
    """Regression: distances (N,) float64 of predicted and right numbers, in the unit of the target."""
    if found.values is None or found.targets is None:
        return np.full(len(found.labels), np.nan)
    errors: np.ndarray = np.abs(found.values - found.targets)
    return errors


def top_classes(found: Predictions, place: int, k: int) -> tuple[tuple[int, float], ...]:
    """The `k` most probable classes of one example with their probabilities, the most probable first."""
    if found.log_probabilities is None:
        return ()
    row = found.log_probabilities[place]
    return tuple((int(one), float(np.exp(row[one]))) for one in np.argsort(-row, kind="stable")[:k])


def _surest_first(found: Predictions, places: np.ndarray) -> np.ndarray:
    if found.log_probabilities is None:
        return places
    order = np.argsort(-found.log_probabilities[places].max(1, initial=-np.inf), kind="stable")
    surest: np.ndarray = places[order]
    return surest
