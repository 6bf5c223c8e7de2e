"""Tests of two models against scipy, closed forms and samples in which there is nothing to find."""

import math

import numpy as np
import pytest
from scipy import stats

from core.metrics.comparison import examples_needed, folds_comparison, folds_estimate, mcnemar

RNG = np.random.default_rng(11)


def parted(both, only_first, only_second, neither):
    """Two answers of which so many are right."""
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


def test_the_corrected_t_test_of_five_folds_by_hand():
    a, b = [0.90, 0.92, 0.88, 0.91, 0.89], [0.87, 0.90, 0.88, 0.86, 0.87]
    differences = np.array([0.03, 0.02, 0.0, 0.05, 0.02])  # mean 0.024, deviation 0.018166
    t = 0.024 / math.sqrt((1 / 5 + 1 / 4) * np.var(differences, ddof=1))
    found = folds_comparison(a, b, 1 / 4)
    assert found.p == pytest.approx(2 * stats.t.sf(t, 4), rel=1e-9)
    assert found.difference.mean == pytest.approx(0.024)
    half = stats.t.ppf(0.975, 4) * math.sqrt(0.45) * np.std(differences, ddof=1)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.024 - half, 0.024 + half))
    assert found.p > stats.ttest_rel(a, b).pvalue  # the plain test is too sure


def test_without_common_examples_it_is_the_paired_t_test():
    a, b = RNG.normal(size=(2, 9))
    found = folds_comparison(a, b, 0.0)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)


def test_where_folds_share_examples_and_nothing_differs_p_is_uniform():
    """Folds whose differences are correlated by 1 / k, as Nadeau and Bengio take them to be: then the test is exact."""
    k, n = 5, 2000
    shared, own = RNG.normal(size=(n, 1)), RNG.normal(size=(n, k))
    differences = math.sqrt(1 / k) * shared + math.sqrt(1 - 1 / k) * own
    found = [folds_comparison(row, np.zeros(k), 1 / (k - 1)).p for row in differences]
    plain = stats.ttest_1samp(differences, 0, axis=1).pvalue
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert (plain < 0.05).mean() > 0.1


def test_folds_that_are_missing_or_all_equal_are_said_so():
    assert math.isnan(folds_comparison([1.0, math.nan], [math.nan, 1.0], 0.25).p)
    assert folds_comparison([1.0, 2.0], [1.0, 2.0], 0.25).p == 1.0
    assert folds_comparison(np.arange(5) + 0.5, np.arange(5), 0.25).p == 2.0**-4
    one = folds_estimate([0.5], 0.25)
    assert (one.mean, one.n) == (0.5, 1)
    assert math.isnan(one.low)


@pytest.mark.parametrize(("only_first", "only_second"), [(1, 0), (7, 2), (12, 12), (0, 9), (60, 31), (400, 330)])
def test_mcnemar_is_the_exact_binomial_test_of_scipy(only_first, only_second):
    found = mcnemar(*parted(50, only_first, only_second, 9))
    wanted = stats.binomtest(only_first, only_first + only_second).pvalue
    assert found.p == pytest.approx(wanted, rel=1e-9)
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.difference.mean == pytest.approx((only_first - only_second) / found.n)
    assert found.difference.low <= found.difference.mean <= found.difference.high


def test_with_many_examples_mcnemar_nears_chi_squared_with_its_correction():
    found = mcnemar(*parted(0, 1200, 1100, 0))
    assert found.p == pytest.approx(stats.chi2.sf((100 - 1) ** 2 / 2300, 1), rel=0.01)


def test_the_interval_of_bonett_and_price_by_hand():
    found = mcnemar(*parted(80, 12, 4, 4)).difference
    a, b = 13 / 102, 5 / 102
    half = 1.959964 * math.sqrt((a + b - (a - b) ** 2) / 102)
    assert (found.low, found.high) == pytest.approx((a - b - half, a - b + half), rel=1e-6)


def test_mcnemar_finds_nothing_where_nothing_is():
    found = [mcnemar(*(RNG.random((2, 300)) < 0.8)).p for _ in range(400)]
    assert np.mean(np.array(found) < 0.05) < 0.08
    same = mcnemar([True, False], [True, False])
    assert (same.p, same.difference.mean) == (1.0, 0.0)
    assert examples_needed(same) is None
    assert math.isnan(mcnemar([], []).p)


def test_with_so_many_examples_as_are_needed_the_difference_is_found_four_times_in_five():
    n = examples_needed(mcnemar(*parted(0, 60, 40, 900)))
    counts = RNG.multinomial(n, [0.06, 0.04, 0.9], size=2000)
    few, all_ = counts[:, :2].min(1), counts[:, :2].sum(1)
    is_found = np.minimum(1, 2 * stats.binom.cdf(few, all_, 0.5)) < 0.05
    assert 0.74 < is_found.mean() < 0.85
