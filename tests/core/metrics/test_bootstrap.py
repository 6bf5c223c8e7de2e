"""Intervals against scipy's bootstrap, exact quantiles of a binomial, and their promise to cover."""

import numpy as np
import pytest
from scipy import stats

from core.metrics.bootstrap import percentile_interval, resampled
from core.metrics.regression import NumberFigures


def means_of(values):
    return lambda counts: counts @ values[:, None] / counts.sum(1, keepdims=True)


def test_every_resample_has_n_examples_and_each_is_drawn_about_once():
    counts = resampled(lambda counts: counts, 50, 400, seed=1)
    assert (counts.sum(1) == 50).all()
    np.testing.assert_allclose(counts.mean(0), 1, atol=0.25)
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.05)


def test_equal_seeds_give_equal_resamples_and_fewer_are_the_first_of_more():
    whole = resampled(lambda counts: counts, 7, 30, seed=4)
    np.testing.assert_array_equal(resampled(lambda counts: counts, 7, 30, seed=4), whole)
    np.testing.assert_array_equal(resampled(lambda counts: counts, 7, 10, seed=4), whole[:10])
    assert (resampled(lambda counts: counts, 7, 30, seed=5) != whole).any()


def test_resamples_in_many_parts_are_reported_in_between():
    reports = []
    samples = resampled(means_of(np.ones(300_000)), 300_000, 15, seed=0, report=lambda: reports.append(1))
    assert len(reports) > 1
    assert samples.shape == (15, 1)


def test_the_interval_is_that_of_scipys_percentile_bootstrap():
    values = np.random.default_rng(0).gamma(2.0, size=60)
    low, high, n = percentile_interval(resampled(means_of(values), 60, 6000, seed=0))
    theirs = stats.bootstrap((values,), np.mean, n_resamples=6000, method="percentile", rng=np.random.default_rng(1))
    spread = values.std() / np.sqrt(60)
    assert low[0] == pytest.approx(theirs.confidence_interval.low, abs=0.1 * spread)
    assert high[0] == pytest.approx(theirs.confidence_interval.high, abs=0.1 * spread)
    assert n.tolist() == [6000]


def test_the_interval_of_a_share_has_the_ends_of_its_binomial():
    hits = (np.arange(100) < 83).astype(float)
    low, high, _n = percentile_interval(resampled(means_of(hits), 100, 8000, seed=3))
    expected = stats.binom.ppf([0.025, 0.975], 100, 0.83) / 100
    np.testing.assert_allclose([low[0], high[0]], expected, atol=0.0101)  # one example


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(11), 0
    for trial in range(300):
        hits = (rng.random(80) < 0.7).astype(float)
        low, high, _n = percentile_interval(resampled(means_of(hits), 80, 300, seed=trial))
        covered += bool(low[0] <= 0.7 <= high[0])
    assert 0.9 <= covered / 300 <= 0.985


def test_undefined_figures_are_left_out_and_counted():
    samples = np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan], [3.0, 5.0, 4.0]])
    low, high, n = percentile_interval(samples, 0.5)
    assert n.tolist() == [3, 2, 1]
    assert (low[:2].tolist(), high[:2].tolist()) == ([1.5, 3.5], [2.5, 4.5])
    assert np.isnan([low[2], high[2]]).all()


def test_intervals_of_numbers_are_those_of_scipy():
    rng = np.random.default_rng(2)
    targets = rng.normal(size=40)
    errors = rng.normal(size=40)
    samples = resampled(NumberFigures(targets, targets + errors), 40, 4000, seed=0)
    low, high, _n = percentile_interval(samples)
    theirs = stats.bootstrap(
        (np.abs(errors),), np.median, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (low[3], high[3]) == pytest.approx((theirs.low, theirs.high), abs=0.05)
