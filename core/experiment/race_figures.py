"""The figures of a race as a table of lanes and seeds, out of what happened in its run."""

import math
from typing import Literal

import numpy as np

from core.events import EpochDone, LaneAdded
from core.experiment.verdict import Verdict, verdict
from core.history import History
from core.metrics.statistics import Floats

Figure = Literal["validation_loss", "validation_accuracy", "train_loss"]
Moment = Literal["last", "best"]


def race_standing(history: History, by: Figure = "validation_loss", at: Moment = "last") -> Floats:
    """Figures (lanes, repeats): of the last epoch, or of each series' epoch with the lowest validation loss.

    NaN for series that diverged, lanes that were removed, and what is not told yet.
    """
    shape = (len(history.lanes), history.repeats)
    if not history.epochs:
        return np.full(shape, math.nan)
    rows = history.best_epochs() if at == "best" else (history.epochs[-1],) * len(history.series)
    values = [math.nan if row is None else _figure(row, by, series) for series, row in enumerate(rows)]
    table = np.array(values, np.float64).reshape(shape)
    table[has_diverged(history)] = math.nan
    table[list(history.removed)] = math.nan
    return table


def has_diverged(history: History) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    """(lanes, repeats): whether the last loss of a series is not finite, though its lane is trained and was heard of."""
    found = np.zeros((len(history.lanes), history.repeats), bool)
    waiting = {*history.removed, *catching_up(history)}
    for series, losses in enumerate(history.losses):
        lane = history.lane_of(series)
        if lane not in waiting and len(losses):
            found[lane, series % history.repeats] = not math.isfinite(losses[-1])
    return found


def catching_up(history: History) -> frozenset[int]:
    """Lanes that joined from the initial weights and have not been told up to the step at which they joined."""
    joined = [one for one in history.changes if isinstance(one, LaneAdded) and one.source < 0]
    told = {one.lane: max((past.last_step for past in history.filled if past.lane == one.lane), default=0) for one in joined}
    return frozenset(one.lane for one in joined if told[one.lane] < one.step)


def time_to_target(history: History, target: float, unit: Literal["epoch", "step"] = "epoch") -> Floats:
    """(lanes, repeats): the first epoch, or its step, with a validation accuracy (or R²) of at least `target`; NaN if never."""
    reached = np.full(len(history.series), math.nan)
    for row in reversed(history.epochs):
        scores = np.array(row.validation_accuracy, np.float64)
        reached[scores >= target] = row.epoch if unit == "epoch" else row.step
    return reached.reshape(len(history.lanes), history.repeats)


def race_verdict(history: History, by: Figure = "validation_loss", at: Moment = "last") -> Verdict | None:
    """Who won so far; None before the first epoch is over."""
    if not history.epochs:
        return None
    return verdict(
        history.lanes,
        race_standing(history, by, at),
        is_lower_better=by != "validation_accuracy",
        what=by.replace("_", " "),
        left={*history.removed, *catching_up(history)},
    )


def _figure(row: EpochDone, by: Figure, series: int) -> float:
    values: tuple[float, ...] = getattr(row, by)
    return values[series]
