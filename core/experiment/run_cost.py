"""What a trained model costs beside what it is worth: parameters, multiply-adds, training time, energy, accuracy."""

import math
from dataclasses import dataclass

import numpy as np

from core.experiment.experiment import Experiment
from core.experiment.race_figures import race_standing
from core.history import History
from core.models.model import infer

WATTS = 65.0
"""What a desktop's processor may draw under load: an assumption, to be changed by whoever knows better."""
JOULES_PER_WH = 3_600.0


@dataclass(frozen=True, slots=True)
class RunCost:
    """One run. Scores are those of the lane with the best mean of its seeds; NaN where they are not known."""

    name: str
    n_parameters: int
    multiply_adds: int
    """Of one example, forward."""
    seconds: float
    """Of training, pauses not counted, all lanes and seeds together."""
    validation_score: float
    """Accuracy in [0, 1], or for regression R², after the last epoch."""
    test_score: float
    lane: str
    series: int
    """Number of the series that the best lane's first seed has."""
    n_series: int
    is_accuracy: bool

    def watt_hours(self, watts: float) -> float:
        """Energy of the training, if the machine drew so many watts all the time."""
        return watts * self.seconds / JOULES_PER_WH


def run_cost(name: str, experiment: Experiment, history: History) -> RunCost:
    """The figures of a run from its experiment and what happened so far."""
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    scores = race_standing(history, "validation_accuracy")
    lane = _best_lane(scores)
    names = history.lanes or list(experiment.lane_names())
    tested = getattr(history.end, "test_accuracy", None)
    repeats = max(1, history.repeats)
    own = [] if tested is None else list(tested[lane * repeats : (lane + 1) * repeats])
    return RunCost(
        name=name,
        n_parameters=inference.n_parameters + inference.n_frozen,
        multiply_adds=inference.multiply_adds,
        seconds=history.elapsed_s,
        validation_score=_mean(scores[lane].tolist()) if len(scores) else math.nan,
        test_score=_mean(own),
        lane=names[lane] if lane < len(names) else "",
        series=lane * repeats,
        n_series=max(1, len(history.series)),
        is_accuracy=experiment.loss.task == "classification",
    )


def _best_lane(scores: np.ndarray) -> int:
    means = [_mean(row.tolist()) for row in scores]
    return max(range(len(means)), key=lambda lane: -math.inf if math.isnan(means[lane]) else means[lane], default=0)


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
