"""Intervals and p values against scipy's own tests, closed forms and published tables."""

import math

import numpy as np
import pytest
from scipy import stats

from core.metrics.statistics import holm, mean_estimate, n_needed, paired_comparison

RNG = np.random.default_rng(7)
SAMPLES = [RNG.normal(size=n) * 10.0 ** RNG.integers(-6, 4) for n in (2, 3, 8, 30)]


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("values", SAMPLES, ids=len)
def test_the_interval_of_a_mean_is_that_of_scipys_t_test(values, confidence):
    interval = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    found = mean_estimate(values, confidence)
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), interval.low, interval.high), rel=1e-12)
    assert found.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert found.n == len(values)


def test_one_value_has_no_interval_and_none_no_mean():
    one = mean_estimate([3.0])
    assert (one.mean, one.n) == (3.0, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    none = mean_estimate([math.nan, math.inf])
    assert none.n == 0
    assert math.isnan(none.mean)


def test_values_that_are_not_finite_are_left_out():
    assert mean_estimate([1.0, math.nan, 3.0, math.inf]) == mean_estimate([1.0, 3.0])


@pytest.mark.parametrize("a", SAMPLES, ids=len)
def test_a_paired_comparison_is_scipys_paired_t_test(a):
    b = a + RNG.normal(size=len(a)) * np.abs(a).mean()
    test = stats.ttest_rel(a, b)
    interval = test.confidence_interval(0.95)
    found = paired_comparison(a, b)
    assert found.p == pytest.approx(test.pvalue, rel=1e-10)
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert found.spread == pytest.approx(np.std(a - b, ddof=1))


def test_only_seeds_that_both_came_through_are_compared():
    a, b = [1.0, 2.0, math.nan, 4.0], [0.5, math.nan, 3.0, 2.0]
    assert paired_comparison(a, b) == paired_comparison([1.0, 4.0], [0.5, 2.0])
    lonely = paired_comparison([1.0, math.nan], [math.nan, 1.0])
    assert math.isnan(lonely.p)
    assert lonely.difference.n == 0


@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (4, 0.125), (8, 2 / 256)])
def test_equal_differences_are_judged_by_their_signs(n, p):
    found = paired_comparison(np.arange(n) + 0.1, np.arange(n))
    assert found.p == pytest.approx(p)
    assert found.difference.mean == pytest.approx(0.1)


def test_equal_samples_do_not_differ():
    found = paired_comparison([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (found.p, found.difference.mean, found.spread) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("raw", "corrected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 4 · 0.005, 3 · 0.01, 2 · 0.03, and no less for 0.04
        ([0.01], [0.01]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02, math.nan, 0.01], [0.02, math.nan, 0.02]),
        ([], []),
    ],
)
def test_holms_correction(raw, corrected):
    assert holm(raw) == pytest.approx(corrected, nan_ok=True)


@pytest.mark.parametrize(
    ("effect", "power", "n"), [(0.5, 0.8, 34), (0.8, 0.8, 15), (0.2, 0.8, 199), (0.5, 0.9, 44), (1.0, 0.8, 10)]
)
def test_the_number_of_seeds_needed_is_that_of_published_power_tables(effect, power, n):
    """G*Power 3, t tests, difference between two dependent means, two tails, alpha 0.05."""
    assert n_needed(effect * 3.0, 3.0, power=power) == n
    assert n_needed(-effect, 1.0, power=power) == n


@pytest.mark.parametrize(
    ("difference", "spread", "n"), [(0.0, 1.0, None), (math.nan, 1.0, None), (1.0, 0.0, 2), (1e-3, 1.0, None)]
)
def test_where_no_number_of_seeds_would_do_there_is_none(difference, spread, n):
    assert n_needed(difference, spread) == n
