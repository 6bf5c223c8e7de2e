"""Figures of regression against scikit-learn and torchmetrics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torchmetrics.functional import regression as theirs

from core.metrics.regression import NAMES, NumberFigures, headline, histogram

RNG = np.random.default_rng(5)
Y = RNG.normal(size=81) * 30 + 150
CASES = {
    "random": (Y, Y + RNG.normal(size=81) * 9),
    "even number": (Y[:60], Y[60:120].mean() + RNG.normal(size=60)),
    "perfect": (Y, Y.copy()),
    "ties": (np.array([1.0, 1, 2, 2, 2]), np.array([1.0, 2, 2, 2, 1])),
    "constant targets": (np.full(5, 3.0), np.arange(5.0)),
    "one example": (np.array([2.0]), np.array([2.5])),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def found(request):
    return request.param


def test_figures_are_those_of_scikit_learn_and_torchmetrics(found):
    targets, predicted = found
    ours = headline(targets, predicted)
    assert tuple(ours) == NAMES
    p, t = torch.from_numpy(predicted), torch.from_numpy(targets)
    assert ours["mae"] == pytest.approx(float(theirs.mean_absolute_error(p, t)))
    assert ours["rmse"] == pytest.approx(float(theirs.mean_squared_error(p, t, squared=False)))
    assert ours["median_error"] == pytest.approx(metrics.median_absolute_error(targets, predicted))
    assert ours["bias"] == pytest.approx(np.mean(predicted - targets))
    if np.ptp(targets) == 0:
        assert math.isnan(ours["r2"])
    else:
        assert ours["r2"] == pytest.approx(float(theirs.r2_score(p, t)))
        assert ours["r2"] == pytest.approx(metrics.r2_score(targets, predicted))


def test_figures_of_resamples_are_those_of_the_drawn_examples(found):
    targets, predicted = found
    n = len(targets)
    drawn = np.random.default_rng(1).integers(0, n, (20, n))
    counts = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(float)
    ours = NumberFigures(targets, predicted)(counts)
    for row, figures in zip(drawn, ours, strict=True):
        expected = headline(targets[row], predicted[row])
        np.testing.assert_allclose(figures, [expected[name] for name in NAMES], rtol=1e-7, atol=1e-9)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_every_residual_is_in_one_bin_and_zero_on_an_edge_where_it_is_inside(values):
    residuals = np.array(values)
    edges, counts = histogram(residuals)
    assert counts.sum() == len(values)
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= 33
    if len(counts) > 1:
        assert np.abs(edges).min() <= 1e-9 * np.abs(edges).max()
