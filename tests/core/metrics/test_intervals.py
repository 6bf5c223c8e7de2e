"""Intervals of scores, held against scipy's."""

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from core.metrics.intervals import accuracy_interval, p_of_difference, score_of
from core.metrics.statistics import mean_estimate


@pytest.mark.parametrize(("n_right", "n"), [(0, 10), (7, 10), (10, 10), (47, 50), (930, 1000)])
def test_the_interval_of_an_accuracy_is_wilsons(n_right, n):
    wanted = binomtest(n_right, n).proportion_ci(method="wilson")
    assert accuracy_interval(n_right, n) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_nothing_has_no_interval_and_no_difference():
    assert np.isnan(accuracy_interval(0, 0)).all()
    assert np.isnan(p_of_difference(np.ones(3, bool), np.ones(0, bool)))


def test_a_score_is_a_share_of_hits_or_a_mean_of_errors():
    assert score_of(np.array([True, True, False])) == (pytest.approx(2 / 3), *accuracy_interval(2, 3))
    errors = np.array([0.5, 1.0, 3.0])
    wanted = mean_estimate(errors)
    assert score_of(errors) == (wanted.mean, wanted.low, wanted.high)


def test_hits_are_compared_by_fishers_test():
    part, rest = np.arange(20) < 5, np.arange(100) < 80
    assert p_of_difference(part, rest) == pytest.approx(fisher_exact([[5, 15], [80, 20]]).pvalue)
