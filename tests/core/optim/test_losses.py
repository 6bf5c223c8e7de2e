"""Losses are the mean that torch and the textbooks give, for classes, shares of classes, and numbers."""

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss, log_loss, mean_absolute_error, mean_squared_error
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from core.optim.losses import (
    AnyLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    Focal,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    MultiMargin,
)
from core.spec import choices

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(40, 5, generator=GENERATOR) * 3
CLASSES = torch.randint(0, 5, (40,), generator=GENERATOR)
LOGIT = torch.randn(40, 1, generator=GENERATOR) * 3
SIDES = torch.randint(0, 2, (40,), generator=GENERATOR)
NUMBERS = torch.randn(40, generator=GENERATOR) * 2
ALL = [cls() for cls in choices(AnyLoss)]
CLASSIFIERS = [loss for loss in ALL if loss.task == "classification"]


def value(loss, output, targets):
    return loss.build()(output, targets).item()


def by_kind(losses):
    return [loss.kind for loss in losses]


def outputs_of(loss, n_classes):
    return torch.randn(30, loss.n_outputs(n_classes), generator=torch.Generator().manual_seed(2))


def test_cross_entropy_is_the_log_loss():
    assert value(CrossEntropy(), LOGITS, CLASSES) == pytest.approx(log_loss(CLASSES, LOGITS.double().softmax(1)), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_label_smoothing_spreads_its_share_over_all_classes(smoothing):
    logs = LOGITS.double().log_softmax(1)
    right = -logs.gather(1, CLASSES[:, None])[:, 0]
    expected = ((1 - smoothing) * right - smoothing * logs.mean(1)).mean().item()
    assert value(CrossEntropy(label_smoothing=smoothing), LOGITS, CLASSES) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_is_cross_entropy_times_a_power_of_what_is_not_sure(gamma):
    shares = LOGITS.double().softmax(1).gather(1, CLASSES[:, None])[:, 0]
    expected = (-((1 - shares) ** gamma) * shares.log()).mean().item()
    assert value(Focal(gamma=gamma), LOGITS, CLASSES) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_of_two_classes_is_that_of_torchvision(gamma):
    both = torch.cat([torch.zeros_like(LOGIT), LOGIT], 1)
    expected = sigmoid_focal_loss(LOGIT[:, 0], SIDES.float(), alpha=-1, gamma=gamma, reduction="mean").item()
    assert value(Focal(gamma=gamma), both, SIDES) == pytest.approx(expected, rel=1e-5)


def test_focal_without_gamma_is_cross_entropy_and_its_gradient_too():
    found = []
    for loss in (Focal(gamma=0.0), CrossEntropy()):
        output = LOGITS.clone().requires_grad_()
        loss.build()(output, CLASSES).backward()
        found.append(output.grad)
    assert torch.allclose(*found, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.1, 1.0, 3.0])
def test_focal_stays_finite_where_the_model_is_sure(gamma):
    output = (torch.eye(3) * 500).requires_grad_()
    found = Focal(gamma=gamma).build()(output, torch.tensor([0, 1, 0]))
    found.backward()
    assert found.item() == pytest.approx(500 / 3, rel=1e-5)
    assert torch.isfinite(output.grad).all()


def test_binary_cross_entropy_is_the_log_loss_of_the_sigmoid():
    assert value(BinaryCrossEntropy(), LOGIT, SIDES) == pytest.approx(log_loss(SIDES, LOGIT[:, 0].sigmoid()), rel=1e-5)


def test_binary_cross_entropy_is_cross_entropy_of_the_logits_0_and_z():
    both = torch.cat([torch.zeros_like(LOGIT), LOGIT], 1)
    assert value(BinaryCrossEntropy(), LOGIT, SIDES) == pytest.approx(functional.cross_entropy(both, SIDES).item(), rel=1e-5)


def test_the_binary_case_of_the_hinge_is_that_of_scikit_learn():
    two = LOGITS[:, :2]
    lead = (two[:, 1] - two[:, 0]).numpy()
    # torch divides the sum over the wrong classes by the number of classes
    assert 2 * value(MultiMargin(), two, SIDES) == pytest.approx(hinge_loss(SIDES, lead), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "expected"), [(MeanSquaredError(), mean_squared_error), (MeanAbsoluteError(), mean_absolute_error)]
)
def test_distances_of_numbers_are_those_of_scikit_learn(loss, expected):
    assert value(loss, LOGIT, NUMBERS) == pytest.approx(expected(NUMBERS, LOGIT[:, 0]), rel=1e-5)


@pytest.mark.parametrize("delta", [0.3, 1.0, 50.0])
def test_huber_is_square_within_delta_and_straight_beyond(delta):
    error = np.abs((LOGIT[:, 0] - NUMBERS).numpy().astype(float))
    expected = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean()
    assert value(Huber(delta=delta), LOGIT, NUMBERS) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", CLASSIFIERS, ids=by_kind(CLASSIFIERS))
def test_shares_that_are_all_of_one_class_are_that_class(loss):
    output = outputs_of(loss, 2)
    targets = SIDES[:30]
    shares = functional.one_hot(targets, 2).float()
    assert value(loss, output, shares) == pytest.approx(value(loss, output, targets), rel=1e-5)


@pytest.mark.parametrize("loss", CLASSIFIERS, ids=by_kind(CLASSIFIERS))
def test_a_mixed_target_costs_the_mixture_of_both_losses(loss):
    """As the MixUp paper trains: lam times the loss of the one class and the rest times that of the other."""
    output, one, other = outputs_of(loss, 2), torch.zeros(30).long(), torch.ones(30).long()
    mixed = torch.tensor([0.3, 0.7]).expand(30, 2)
    expected = 0.3 * value(loss, output, one) + 0.7 * value(loss, output, other)
    assert value(loss, output, mixed) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ALL, ids=by_kind(ALL))
def test_every_loss_has_a_gradient_a_unit_and_as_many_outputs_as_it_says(loss):
    n_classes = 2 if loss.task == "classification" else 0
    output = outputs_of(loss, n_classes).requires_grad_()
    targets = SIDES[:30] if n_classes else NUMBERS[:30]
    found = loss.build()(output, targets)
    found.backward()
    assert found.ndim == 0
    assert output.grad is not None
    assert output.grad.abs().sum() > 0
    assert loss.unit
    assert loss.source


def test_losses_of_many_classes_want_one_output_for_each():
    assert CrossEntropy().n_outputs(10) == MultiMargin().n_outputs(10) == Focal().n_outputs(10) == 10
    assert BinaryCrossEntropy().n_outputs(2) == MeanSquaredError().n_outputs(0) == 1
