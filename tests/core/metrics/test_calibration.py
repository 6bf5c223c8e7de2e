"""Calibration against torchmetrics, and the temperature against closed forms and another optimizer."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn.functional import cross_entropy
from torchmetrics.functional.classification import multiclass_calibration_error

from core.metrics.calibration import (
    COLDEST,
    HOTTEST,
    at_temperature,
    bin_of,
    expected_calibration_error,
    fitted_temperature,
    reliability,
)


def case(n, k, sharpness, seed=0, stretch=1.0):
    """A calibrated model's logits times `stretch`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * sharpness
    p = np.asarray(torch.from_numpy(logits).softmax(1))
    labels = np.array([rng.choice(k, p=row) for row in p])
    return labels, np.asarray(torch.from_numpy(logits * stretch).log_softmax(1))


CASES = [case(300, 2, 1.0), case(200, 10, 2.0, stretch=3.0), case(5, 20, 1.0), case(1, 3, 1.0), case(400, 3, 3.0, stretch=0.3)]


@pytest.mark.parametrize(("labels", "log_p"), CASES, ids=lambda value: str(np.shape(value)))
@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_the_calibration_error_is_that_of_torchmetrics(labels, log_p, n_bins):
    p, target = torch.from_numpy(np.exp(log_p)), torch.from_numpy(labels)
    expected = float(multiclass_calibration_error(p, target, num_classes=p.shape[1], n_bins=n_bins))
    assert expected_calibration_error(reliability(log_p, labels, n_bins)) == pytest.approx(expected, abs=1e-6)


def test_bins_hold_every_example_once_and_empty_ones_have_no_mean():
    labels, log_p = CASES[1]
    found = reliability(log_p, labels)
    assert found.counts.sum() == len(labels)
    np.testing.assert_array_equal(np.isnan(found.accuracy), found.counts == 0)
    np.testing.assert_array_equal(np.isnan(found.confidence), found.counts == 0)
    there = found.counts > 0
    assert (found.accuracy * found.counts)[there].sum() == pytest.approx((log_p.argmax(1) == labels).sum())
    assert (found.confidence[there] >= found.edges[:-1][there]).all()
    assert (found.confidence[there] <= found.edges[1:][there]).all()


def test_a_probability_on_an_edge_is_in_the_bin_above_and_1_in_the_last():
    assert bin_of(np.array([0.0, 0.5, 0.75, 1.0]), 4).tolist() == [0, 2, 3, 3]


def test_certain_right_answers_are_calibrated_and_certain_errors_are_not_at_all():
    log_p = np.log(np.array([[1.0, 1e-300], [1e-300, 1.0]]))
    assert expected_calibration_error(reliability(log_p, np.array([0, 1]))) == pytest.approx(0)
    assert expected_calibration_error(reliability(log_p, np.array([1, 0]))) == pytest.approx(1)


@pytest.mark.parametrize(("labels", "log_p"), [CASES[0], CASES[1], CASES[4]], ids=lambda value: str(np.shape(value)))
def test_the_temperature_is_that_of_another_optimizer(labels, log_p):
    def loss(log_temperature):
        return float(cross_entropy(torch.from_numpy(log_p / math.exp(log_temperature[0])), torch.from_numpy(labels)))

    expected = minimize(loss, [0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-14})
    found, note = fitted_temperature(log_p, labels)
    assert note == ""
    assert found == pytest.approx(math.exp(expected.x[0]), rel=1e-4)
    assert float(-at_temperature(log_p, found)[np.arange(len(labels)), labels].mean()) <= expected.fun + 1e-9


def test_two_kinds_of_answers_have_the_temperature_of_the_closed_form():
    # always the same logit difference d, right in a share s: the best temperature is d / logit(s)
    d, share, n = 4.0, 0.8, 50
    labels = (np.arange(n) >= share * n).astype(np.int64)
    log_p = np.asarray(torch.tensor([[d, 0.0]], dtype=torch.float64).log_softmax(1)).repeat(n, 0)
    found, note = fitted_temperature(log_p, labels)
    assert found == pytest.approx(d / math.log(share / (1 - share)), rel=1e-5)
    assert note == ""
    assert expected_calibration_error(reliability(at_temperature(log_p, found), labels)) == pytest.approx(0, abs=1e-5)


def test_a_stretched_calibrated_model_gets_its_stretch_back():
    labels, log_p = case(4000, 4, 1.5, seed=2, stretch=2.5)
    found, _note = fitted_temperature(log_p, labels)
    assert found == pytest.approx(2.5, rel=0.1)


def test_temperatures_that_would_leave_the_range_are_named():
    log_p = np.log([[0.9, 0.1], [0.2, 0.8]])
    assert fitted_temperature(log_p, np.array([0, 1])) == (COLDEST, "coldest")
    assert fitted_temperature(log_p, np.array([1, 0])) == (HOTTEST, "hottest")
    assert fitted_temperature(np.full((3, 4), -math.log(4)), np.array([0, 1, 2])) == (1.0, "flat")


def test_temperature_1_changes_nothing_and_no_temperature_changes_the_answer():
    _labels, log_p = CASES[1]
    np.testing.assert_allclose(at_temperature(log_p, 1.0), log_p, atol=1e-12)
    for temperature in (0.1, 7.0):
        np.testing.assert_array_equal(at_temperature(log_p, temperature).argmax(1), log_p.argmax(1))
