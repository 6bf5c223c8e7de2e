"""What a run takes, told before it is queued."""

import pytest

from core.experiment.need import need_of
from core.settings import Settings
from tests.core.samples import spiral


def test_an_estimate_knows_lanes_repeats_and_the_budget():
    small = spiral(steps=20)
    one, three = need_of(small), need_of(small.but(repeats=3))
    assert (one.n_steps, three.n_steps) == (20, 20)
    assert three.step_gflop == pytest.approx(3 * one.step_gflop)
    assert one.step_gflop == pytest.approx(2 * 3 * (2 * 8 + 8 * 2) * 10 / 1e9)  # two operations; forward and twice backward
    assert three.seconds == pytest.approx(3 * one.seconds)
    assert need_of(small.but(lanes=small.lanes * 2)).step_gflop == pytest.approx(2 * one.step_gflop)
    limited = need_of(small.but(budget=small.budget.but(seconds=0.001)))
    assert (limited.seconds, limited.limit_s) == (0.001, 0.001)


def test_frozen_layers_take_a_third_of_the_arithmetic():
    whole, frozen = need_of(spiral()), need_of(spiral(frozen=(0,)))
    assert frozen.step_gflop == pytest.approx(whole.step_gflop * (1 * 2 * 8 + 3 * 8 * 2) / (3 * (2 * 8 + 8 * 2)))


def test_a_run_that_only_time_ends_has_no_number_of_steps():
    need = need_of(spiral(budget={"epochs": None, "seconds": 9.0}))
    assert (need.n_steps, need.seconds) == (None, 9.0)


def test_a_run_is_large_by_its_arithmetic_or_by_its_memory():
    need = need_of(spiral())
    assert not need.is_large(Settings())
    assert need.is_large(Settings(small_run_mb=10))
    assert need.is_large(Settings(small_run_gflop=need.step_gflop / 2))
