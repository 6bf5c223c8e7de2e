"""The fold of events into curves."""

import pytest

from core.events import Finished, HyperChanged, Paused, Resumed, Started, StepsDone
from core.history import History

STARTED = Started(0, 10, 5, 5, 5, 5, 100, "CPU", ("a", "b"), {})


def folded(*events):
    history = History()
    for event in (STARTED, *events):
        history.append(event)
    return history


def test_curves_grow_per_series():
    history = folded(
        StepsDone(1, 1, ((1.0, 2.0), (3.0, 4.0)), (0.1, 0.1), 0.5), StepsDone(3, 1, ((5.0,), (6.0,)), (0.1, 0.1), 1.0)
    )
    assert [list(losses) for losses in history.losses] == [[1, 2, 5], [3, 4, 6]]
    assert history.step == 3


def test_steps_told_again_after_a_rewind_replace_the_old_ones():
    first = StepsDone(1, 1, ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)), (0.1, 0.1), 0.5)
    history = folded(first, STARTED, StepsDone(2, 1, ((9.0,), (9.0,)), (0.1, 0.1), 0.6))
    assert [list(losses) for losses in history.losses] == [[1, 9], [1, 9]]


def test_speed_is_steps_over_training_time():
    history = folded(*(StepsDone(1 + 10 * i, 1, ((0.0,) * 10,) * 2, (0.1, 0.1), 0.1 * (i + 1)) for i in range(50)))
    assert history.steps_per_s == pytest.approx(100, rel=1e-6)


def test_the_present_state_follows_pause_resume_changes_and_the_end():
    history = folded(Paused(3))
    assert history.is_paused
    history.append(Resumed(3))
    assert not history.is_paused
    history.append(HyperChanged(3, 0, "lr", 0.1, 0.2))
    assert history.changes[0].new == 0.2
    history.append(Finished("completed", 9, 1.0))
    assert history.end.step == 9
