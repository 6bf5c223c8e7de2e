"""The range test on a quadratic whose curvature is known in closed form, and the stability limit against torch itself."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import SpecError
from core.experiment.experiment import Lane
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import SGD, Adam
from core.optim.regularizers import L2
from core.optim.schedules import StepDecay
from core.training.lr_finder import default_steps, range_test, stability_limit, steepest
from core.training.sharpness import largest_curvature, sharpness
from tests.core.samples import linear, optimizer_like, spiral, stack

QUADRATIC = spiral("sgd", 0.1, data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError(), batch_size="full")


def as_arrays():
    """Inputs with a column of ones (N, F + 1), and targets (N,), float64."""
    splits = QUADRATIC.data.splits(QUADRATIC.seed)
    x = splits.model_input(splits.train.x).astype(float)
    return np.hstack([x, np.ones((len(x), 1))]), splits.train.y.astype(float)


def start():
    from core.models.model import build

    first = build(QUADRATIC.model, QUADRATIC.data.profile().input_shape, QUADRATIC.seed)[0]
    return np.append(first.weight.detach().numpy().ravel(), first.bias.item()).astype(float)


@pytest.fixture(scope="module")
def found():
    return range_test(QUADRATIC)


def test_the_curvature_of_a_linear_regression_is_that_of_its_normal_matrix(found):
    x, _y = as_arrays()
    expected = np.linalg.eigvalsh(2 / len(x) * x.T @ x)[-1]
    assert found.n_examples == len(x)
    assert found.sharpness == pytest.approx(expected, rel=1e-3)
    assert found.limit == pytest.approx(2 / expected, rel=1e-3)


def test_the_curve_is_gradient_descent_worked_out_by_hand_up_to_the_step_at_which_it_diverges(found):
    x, y = as_arrays()
    weights, losses, smoothed, mean, diverged = start(), [], [], 0.0, math.nan
    for rate in np.geomspace(1e-7, 10, 161):
        errors = x @ weights - y
        losses.append((errors**2).mean())
        mean = 0.9 * mean + 0.1 * losses[-1]
        smoothed.append(mean / (1 - 0.9 ** len(losses)))
        if len(losses) > 10 and smoothed[-1] > 4 * min(smoothed):
            diverged = rate
            break
        weights = weights - rate * 2 / len(y) * x.T @ errors
    # What grows in the last steps was almost nothing before: there float32 differs from the float64 of this test.
    assert found.losses[:-5] == pytest.approx(losses[: len(found.losses) - 5], rel=1e-4)
    assert found.smoothed[:-5] == pytest.approx(smoothed[: len(found.smoothed) - 5], rel=1e-4)
    assert found.diverged_at == pytest.approx(diverged, rel=0.13)  # one step


def test_without_noise_the_suggestion_lies_below_the_limit_and_the_divergence_above_it(found):
    assert found.suggestion < found.limit < found.diverged_at


def test_with_the_noise_of_batches_training_breaks_soon_after_the_limit():
    """Noise keeps the steepest direction alive, so that its growth is seen within a few steps."""
    noisy = range_test(QUADRATIC.but(batch_size=32))
    assert noisy.suggestion < noisy.lowest <= noisy.limit < noisy.diverged_at < 2 * noisy.limit


@pytest.mark.parametrize(("share", "is_stable"), [(0.97, True), (1.03, False)])
def test_gradient_descent_holds_just_below_the_limit_and_not_just_above(found, share, is_stable):
    x, y = as_arrays()
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    away = start() - best
    begun = np.linalg.norm(away)
    for _ in range(2000):
        away = away - share * found.limit * 2 / len(x) * x.T @ (x @ away)
    assert (np.linalg.norm(away) < begun) == is_stable


@pytest.mark.parametrize(
    "momentum", [{}, {"momentum": 0.5}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.8, "dampening": 0.5}]
)
@pytest.mark.parametrize("penalty", [0.0, 0.5])
@pytest.mark.parametrize(("share", "is_stable"), [(0.98, True), (1.02, False)])
def test_the_limit_of_sgd_is_where_torchs_begins_to_grow(momentum, penalty, share, is_stable):
    curvature = 3.0
    lane = Lane(optimizer=SGD(weight_decay=penalty, **momentum))
    limit = stability_limit(lane, curvature)
    assert stability_limit(Lane(optimizer=SGD(**momentum), regularizers=(L2(strength=penalty),)), curvature) == limit
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], **{**lane.optimizer.arguments(), "lr": share * limit})
    for _ in range(4000):
        weight.grad = curvature * weight.detach()
        optimizer.step()
    assert (abs(weight.item()) < 1) == is_stable


def test_adaptive_optimizers_have_no_limit_and_neither_has_a_hilltop():
    assert math.isnan(stability_limit(Lane(optimizer=Adam()), 3.0))
    assert math.isnan(stability_limit(Lane(optimizer=SGD()), -1.0))
    assert math.isnan(stability_limit(Lane(optimizer=SGD()), math.nan))


@pytest.mark.parametrize("lowest", [-50.0, 0.0])
def test_the_largest_eigenvalue_is_found_also_beside_larger_negative_ones(lowest):
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    matrix = torch.from_numpy(basis @ np.diag(np.linspace(lowest, 7.0, 40)) @ basis.T)
    point = torch.zeros(40, dtype=torch.float64, requires_grad=True)
    found = largest_curvature(lambda: point @ matrix @ point / 2, [point])
    assert found.value == pytest.approx(7.0, rel=1e-3)
    assert found.n_products <= 40


def test_the_curvature_of_a_net_is_the_largest_eigenvalue_of_its_whole_hessian():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    x, y = torch.randn(20, 3), torch.randint(0, 2, (20,))
    names = [name for name, _ in net.named_parameters()]
    sizes = [parameter.shape for parameter in net.parameters()]

    def loss(flat):
        parts = torch.split(flat, [size.numel() for size in sizes])
        values = {name: part.reshape(size) for name, part, size in zip(names, parts, sizes, strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(net.double(), values, x.double()), y)

    flat = torch.cat([parameter.detach().flatten() for parameter in net.parameters()]).double()
    hessian = torch.autograd.functional.hessian(loss, flat)
    expected = torch.linalg.eigvalsh(hessian)[-1].item()
    found = sharpness(net.float(), nn.CrossEntropyLoss(), (x, y))
    assert found.value == pytest.approx(expected, rel=1e-3)
    assert abs(found.value - expected) <= found.error + 1e-9


def test_a_loss_that_does_not_depend_on_the_weights_is_flat():
    point = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    assert largest_curvature(lambda: point.sum(), [point]).value == 0


LAYERS = [
    (Digits(), ("Conv2d", {"out_channels": 2}), "BatchNorm2d", "ReLU", "Flatten", ("Dropout", {"p": 0.5}), linear(10)),
    (Sentiment(n_examples=200), ("Embedding", {"num_embeddings": 128}), ("LSTM", {"hidden_size": 3}), linear(2)),
]


@pytest.mark.parametrize(("data", "layers"), [(case[0], case[1:]) for case in LAYERS])
def test_the_curvature_is_repeatable_and_leaves_the_model_as_it_was(data, layers):
    from core.models.model import build

    splits = data.splits(0)
    model = build(stack(*layers), splits.profile.input_shape, 0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    batch = (torch.from_numpy(splits.model_input(splits.train.x[:40])), torch.from_numpy(splits.train.y[:40]))
    values = {sharpness(model, nn.CrossEntropyLoss(), batch).value for _ in range(2)}
    assert len(values) == 1
    assert values.pop() > 0
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())


def test_the_lanes_own_optimizer_is_tested_without_its_schedule():
    lanes = (Lane(optimizer=SGD()), Lane(optimizer=Adam(lr=0.5)), Lane(optimizer=Adam(), schedule=StepDecay(every=1)))
    experiment = QUADRATIC.but(lanes=lanes)
    plain, adam, scheduled = (range_test(experiment, lane) for lane in range(3))
    assert adam.losses.tolist() == scheduled.losses.tolist()  # neither its own rate nor its schedule counts
    assert plain.losses.tolist() != adam.losses.tolist()
    assert math.isnan(adam.limit)
    assert adam.sharpness == plain.sharpness


def test_a_loss_that_is_not_finite_ends_the_test_and_is_not_in_it():
    net = stack(linear(4), "ReLU", linear(4), "ReLU", linear(1))
    found = range_test(QUADRATIC.but(model=net, lanes=(Lane(optimizer=SGD(momentum=0.99)),)))
    assert np.isfinite(found.losses).all()
    assert np.isfinite(found.diverged_at)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 161


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_gives_no_suggestion(seed):
    losses = 1 + 0.1 * np.random.default_rng(seed).normal(size=161)
    assert math.isnan(steepest(np.geomspace(1e-7, 10, 161), losses, 10))


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_suggestion_is_where_a_fall_is_steepest(noise):
    rates = np.geomspace(1e-7, 10, 161)
    falls = 1 / (1 + np.exp(4 * (np.log10(rates) + 3)))  # steepest at 1e-3
    losses = falls + noise * np.random.default_rng(0).normal(size=161)
    assert abs(math.log10(steepest(rates, losses, 10)) + 3) < 0.3


def test_too_short_a_curve_gives_no_suggestion():
    assert math.isnan(steepest(np.geomspace(1e-7, 1e-6, 20), np.linspace(1, 0, 20), 10))


def test_small_batches_get_more_steps():
    assert default_steps(1) > default_steps(32) > default_steps(128) == default_steps(5000) == 161


def test_what_cannot_be_tested_is_said():
    with pytest.raises(SpecError, match="no lane 1"):
        range_test(QUADRATIC, 1)
    with pytest.raises(SpecError, match="first step alone"):
        range_test(QUADRATIC.but(lanes=(Lane(optimizer=optimizer_like("rprop")),)))
