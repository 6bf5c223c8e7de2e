"""What benchmarks.workshop and benchmarks.soak say of a workshop is what was sent, kept and measured."""

import math

import pytest

from benchmarks.soak import Sample, verdict
from benchmarks.workshop import part
from benchmarks.workshop_live import Received, frames_in, lost_points
from benchmarks.workshop_page import key_in
from dashboard.session.frames import frame


def steps(first: int, *losses: float) -> bytes:
    return frame("steps", {"first_step": first, "n": len(losses)}, {"losses": ("f4", [losses, [9.0] * len(losses)])})


def received(*messages: bytes) -> Received:
    viewer = Received()
    for message in messages:
        viewer.take(message)
    return viewer


def test_the_frames_of_a_message_are_read_as_they_were_written():
    message = steps(1, 3.0, 2.0, 1.0) + frame("marks", {"items": [{"kind": "hyper", "new": 0.5}]})
    first, second = frames_in(message)
    assert first.arrays["losses"].tolist() == [[3.0, 2.0, 1.0], [9.0] * 3]
    assert (first.header["first_step"], second.header["type"], second.arrays) == (1, "marks", {})


def test_nothing_is_lost_when_each_step_came_once_and_in_order():
    viewer = received(steps(1, 3.0, math.nan), steps(3, 0.1))
    assert lost_points([3.0, math.nan, 0.1], viewer) == 0
    assert [step for _, step in viewer.updates] == [2, 3]


@pytest.mark.parametrize(
    ("messages", "n_lost"),
    [
        ((steps(1, 3.0, 2.0),), 1),  # the last one never came
        ((steps(1, 3.0), steps(3, 1.0)), 2),  # a gap: the step is missing, and its absence was seen
        ((steps(1, 3.0, 2.0), steps(2, 2.0, 1.0)), 1),  # one came twice
        ((steps(1, 3.0, 2.5, 1.0),), 1),  # one is another
        ((steps(1, 3.0, 2.0, 1.0, 0.5),), 1),  # one too many
    ],
)
def test_a_point_that_is_missing_doubled_or_different_counts(messages, n_lost):
    assert lost_points([3.0, 2.0, 1.0], received(*messages)) == n_lost


def test_after_a_reset_the_steps_are_counted_from_the_start():
    viewer = received(steps(1, 3.0, 2.0), frame("reset", {"generation": 1}), steps(1, 3.0, 2.0, 1.0))
    assert (viewer.generation, lost_points([3.0, 2.0, 1.0], viewer)) == (1, 0)


def test_the_key_of_a_widget_is_read_off_its_id():
    assert key_in("$$ID-82f64e6be809-train.learning_rate.0") == "train.learning_rate.0"
    assert key_in("$$ID-82f64e6be809-a-b") == "a-b"
    assert key_in("something else") == ""


def test_quantiles_are_of_what_there_is():
    assert (part([], 0.95), part([1.0], 0.95), part([0.1 * i for i in range(100)], 0.95)) == (-1.0, 1.0, 9.5)


def test_a_soak_tells_growth_after_the_warm_up_from_none():
    def sampled(mb_per_minute: float, n_threads: int) -> list[Sample]:
        warm = [Sample(i, 50.0 * i, 50.0, i, i, i, i) for i in range(30)]
        return warm + [
            Sample(i, 1500 + mb_per_minute * i / 60, 50.0, 20 + n_threads * i // 100, 40, 3, 9) for i in range(30, 100)
        ]

    still, growing = verdict(sampled(0.0, 0)), verdict(sampled(6.0, 10))
    assert all(value == 0 for value in still.values())
    assert growing["growth_mb_per_minute"] == 6.0
    assert growing["server_growth_mb"] == pytest.approx(6.9, abs=0.01)
    assert (growing["supervisor_growth_mb"], growing["threads_growth"] > 3) == (0.0, True)
