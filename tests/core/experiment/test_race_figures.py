"""A race's figures out of its events: epochs, lanes that join, leave or diverge."""

import math

import numpy as np
import pytest

from core.events import EpochDone, Event, LaneAdded, LaneEpochDone, LaneRemoved, LaneStepsDone, Started, StepsDone
from core.experiment.race_figures import catching_up, race_standing, race_verdict, time_to_target
from core.history import History

NAN = math.nan


def history(*events: Event) -> History:
    """Two lanes, two seeds; then these events."""
    found = History()
    names = ("A, seed 1", "A, seed 2", "B, seed 1", "B, seed 2")
    found.append(Started(0, 9, 80, 20, 0, 10, 40, "cpu", names, {}, ("A", "B"), 2))
    for event in events:
        found.append(event)
    return found


def steps(first: int, *losses: float, n: int = 10) -> StepsDone:
    return StepsDone(first, 1, tuple((loss,) * n for loss in losses), (0.1,) * len(losses), float(first))


def epoch(number: int, losses: tuple[float, ...], scores: tuple[float, ...]) -> EpochDone:
    return EpochDone(number, 10 * number, tuple(loss / 2 for loss in losses), scores, losses, scores, float(number))


def two_epochs() -> tuple[Event, ...]:
    return (
        steps(1, 1.0, 1.0, 1.0, 1.0),
        epoch(1, (0.5, 0.6, 0.7, 0.8), (0.5, 0.9, 0.7, 0.6)),
        steps(11, 0.9, 0.9, 0.9, 0.9),
        epoch(2, (0.4, 0.7, 0.6, 0.9), (0.8, 0.8, 0.7, 0.9)),
    )


def test_the_last_epoch_gives_a_table_of_lanes_and_seeds():
    run = history(*two_epochs())
    assert race_standing(run).tolist() == [[0.4, 0.7], [0.6, 0.9]]
    assert race_standing(run, "train_loss").tolist() == [[0.2, 0.35], [0.3, 0.45]]
    assert race_standing(run, "validation_accuracy").tolist() == [[0.8, 0.8], [0.7, 0.9]]


def test_the_best_epoch_of_each_series_is_the_one_with_its_lowest_validation_loss():
    run = history(*two_epochs())
    assert race_standing(run, at="best").tolist() == [[0.4, 0.6], [0.6, 0.8]]
    assert race_standing(run, "validation_accuracy", "best").tolist() == [[0.8, 0.9], [0.7, 0.6]]


def test_before_the_first_epoch_there_is_no_figure():
    run = history(steps(1, 1.0, 1.0, 1.0, 1.0))
    assert np.isnan(race_standing(run)).tolist() == [[True, True], [True, True]]
    assert race_verdict(run) is None
    assert np.isnan(time_to_target(run, 0.1)).all()


@pytest.mark.parametrize("last", [NAN, math.inf])
def test_a_series_that_diverged_has_none_though_its_last_good_weights_would_give_one(last):
    run = history(*two_epochs()[:2], steps(11, 0.9, last, 0.9, 0.9), two_epochs()[3])
    for moment in ("last", "best"):
        assert np.isnan(race_standing(run, at=moment)).tolist() == [[False, True], [False, False]]
    found = race_verdict(run)
    assert found.best == 1
    assert [lane.n_diverged for lane in found.lanes] == [1, 0]


def test_a_removed_lane_has_left_and_not_diverged():
    run = history(
        *two_epochs(), LaneRemoved(20, 0), steps(21, NAN, NAN, 0.9, 0.9), epoch(3, (NAN, NAN, 0.5, 0.5), (NAN, NAN, 0.9, 0.9))
    )
    assert np.isnan(race_standing(run)).tolist() == [[True, True], [False, False]]
    found = race_verdict(run)
    assert found.lanes[0] is None
    assert not any("diverged" in str(sentence) for sentence in found.sentences)
    assert "Not compared, since not in the race to its end: A." in map(str, found.sentences)


JOINS = LaneAdded(20, 2, -1, "{}", "C", ("C, seed 1", "C, seed 2"))
CATCHES_UP = (
    LaneStepsDone(2, 1, ((1.0,) * 10, (1.0,) * 10)),
    LaneEpochDone(2, 1, 10, (0.1, 0.1), (0.9, 0.9), (0.3, 0.2), (0.9, 0.95)),
    LaneStepsDone(2, 11, ((1.0,) * 10, (1.0,) * 10)),
    LaneEpochDone(2, 2, 20, (0.1, 0.1), (0.9, 0.9), (0.2, 0.3), (0.9, 0.9)),
)


@pytest.mark.parametrize("n_told", range(5))
def test_a_lane_that_joins_is_compared_once_it_has_caught_up(n_told):
    run = history(*two_epochs(), JOINS, *CATCHES_UP[:n_told])
    is_there = n_told >= 3
    assert catching_up(run) == (frozenset() if is_there else {2})
    found = race_verdict(run)
    assert (found.lanes[2] is not None) == is_there
    if n_told == 4:
        assert found.best == 2
        assert race_standing(run)[2].tolist() == [0.2, 0.3]
        assert race_standing(run, at="best")[2].tolist() == [0.2, 0.2]
    elif n_told < 3:
        assert not any("diverged" in str(sentence) for sentence in found.sentences)


def test_a_forked_lane_is_compared_at_once():
    run = history(*two_epochs(), LaneAdded(20, 2, 1, "{}", "C", ("C, seed 1", "C, seed 2")))
    assert race_standing(run)[2].tolist() == race_standing(run)[1].tolist()
    assert race_verdict(run).lanes[2] is not None


def test_the_time_to_a_target_is_the_first_epoch_that_reaches_it():
    run = history(*two_epochs())
    assert np.array_equal(time_to_target(run, 0.8), [[2, 1], [NAN, 2]], equal_nan=True)
    assert np.array_equal(time_to_target(run, 0.8, "step"), [[20, 10], [NAN, 20]], equal_nan=True)


def test_higher_accuracy_and_lower_loss_win():
    run = history(*two_epochs())
    assert race_verdict(run, "validation_loss").best == 0
    assert race_verdict(run, "validation_accuracy").best == 0
    assert "validation accuracy" in str(race_verdict(run, "validation_accuracy").sentences[1])
