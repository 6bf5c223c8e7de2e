"""What a run costs is what its log and its layers say."""

import math

import pytest

from core.events import EpochDone, Finished, Started, StepsDone
from core.experiment.experiment import Lane
from core.experiment.run_cost import run_cost
from core.history import History
from tests.core.samples import optimizer_like, spiral

TWO = spiral(lanes=(Lane(optimizer=optimizer_like("sgd", 0.1)), Lane(optimizer=optimizer_like("adam", 0.01))), repeats=2)


def history(*events):
    made = History()
    made.append(Started(0, 42, 100, 50, 50, 10, 20, "cpu", TWO.series(), {}, TWO.lane_names(), 2))
    for event in events:
        made.append(event)
    return made


def test_figures_are_of_the_best_lane_over_its_seeds():
    four = (0.5, 0.5, 0.4, 0.4)
    told = history(
        StepsDone(1, 1, ((0.6, 0.5),) * 4, (0.1,) * 4, 7.2),
        EpochDone(1, 2, four, four, four, (0.7, 0.8, 0.9, 0.8), 7.2),
        Finished("completed", 2, 7.2, four, (0.6, 0.7, 0.8, 0.9)),
    )
    found = run_cost("mine", TWO, told)
    assert found.n_parameters == 2 * 8 + 8 + 8 * 2 + 2
    assert found.multiply_adds == 2 * 8 + 8 * 2
    assert (found.validation_score, found.test_score) == (pytest.approx(0.85), pytest.approx(0.85))
    assert (found.lane, found.series, found.n_series) == ("Adam, lr 0.01", 2, 4)
    assert found.watt_hours(500) == pytest.approx(500 * 7.2 / 3600)


def test_a_run_that_has_just_begun_has_no_scores():
    found = run_cost("new", TWO, history())
    assert math.isnan(found.validation_score)
    assert math.isnan(found.test_score)
    assert found.seconds == 0
