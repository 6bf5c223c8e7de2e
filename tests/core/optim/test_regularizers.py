"""Each regularizer is the textbook's, or torch's own where torch has it, and acts at its moment."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.optim.penalties import after_step, average_step, before_step
from core.optim.regularizers import (
    L1,
    L2,
    MOMENTS,
    AnyRegularizer,
    ClipNorm,
    ClipValue,
    MaxNorm,
    WeightAverage,
    WeightDecay,
    average_of,
    in_order,
)
from core.spec import choices

LR = 0.05


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).double()


def batch(number):
    generator = torch.Generator().manual_seed(number)
    x = torch.randn(6, 2, 4, 4, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 3, (6,), generator=generator)


def trained(make, regularizers=(), steps=20):
    """Parameters after some steps of a torch optimizer with our regularizers around it."""
    model = net()
    parameters = list(model.parameters())
    optimizer = make(parameters)
    for number in range(steps):
        x, y = batch(number)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        before_step(regularizers, parameters, LR)
        optimizer.step()
        after_step(regularizers, parameters)
    return [parameter.detach() for parameter in parameters]


def differs(one, other):
    return max(float((a.detach() - b.detach()).abs().max()) for a, b in zip(one, other, strict=True))


def gradients(scale=1.0):
    """Parameters with a gradient each, and copies of both."""
    parameters = [nn.Parameter(tensor.detach()) for tensor in net().parameters()]
    generator = torch.Generator().manual_seed(9)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * scale
    before = [parameter.detach().clone() for parameter in parameters]
    return parameters, before, [parameter.grad.clone() for parameter in parameters]


def test_coupled_l2_is_the_weight_decay_of_torchs_sgd_and_adam():
    for make in (torch.optim.SGD, torch.optim.Adam):
        ours = trained(lambda p, make=make: make(p, lr=LR), [L2(strength=0.03)])
        assert differs(ours, trained(lambda p, make=make: make(p, lr=LR, weight_decay=0.03))) <= 1e-12


def test_decoupled_decay_with_adam_is_adamw():
    ours = trained(lambda p: torch.optim.Adam(p, lr=LR), [WeightDecay(strength=0.3)])
    assert differs(ours, trained(lambda p: torch.optim.AdamW(p, lr=LR, weight_decay=0.3))) <= 1e-12


def test_coupled_and_decoupled_are_the_same_for_sgd_and_differ_for_adam():
    for make, is_same in ((torch.optim.SGD, True), (torch.optim.Adam, False)):
        coupled = trained(lambda p, make=make: make(p, lr=LR), [L2(strength=0.2)])
        decoupled = trained(lambda p, make=make: make(p, lr=LR), [WeightDecay(strength=0.2)])
        assert (differs(coupled, decoupled) <= 1e-12) == is_same


def test_l1_adds_its_strength_times_the_sign():
    parameters, before, grads = gradients()
    before_step([L1(strength=0.2)], parameters, LR)
    for parameter, weight, grad in zip(parameters, before, grads, strict=True):
        assert torch.equal(parameter.grad, grad + 0.2 * weight.sign())
        assert torch.equal(parameter, weight)


def test_l1_alone_brings_a_weight_to_zero_in_as_many_steps_as_its_size_says():
    weight = nn.Parameter(torch.tensor([0.1005]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(10):
        weight.grad = torch.zeros(1)
        before_step([L1(strength=0.1)], [weight], 0.1)
        optimizer.step()
    assert weight.item() == pytest.approx(0.0005, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 100.0])
def test_clipping_is_that_of_torch(scale):
    for regularizer, expected in (
        (ClipNorm(limit=2.0), lambda p: nn.utils.clip_grad_norm_(p, 2.0)),
        (ClipValue(limit=0.5), lambda p: nn.utils.clip_grad_value_(p, 0.5)),
    ):
        ours, _before, grads = gradients(scale)
        theirs, *_ = gradients(scale)
        before_step([regularizer], ours, LR)
        expected(theirs)
        assert differs([p.grad for p in ours], [p.grad for p in theirs]) == 0
        changed = differs([p.grad for p in ours], grads) > 0
        assert changed == (scale > 1)


def test_clip_norm_leaves_the_direction_and_the_length_of_the_limit():
    parameters, _before, grads = gradients(10)
    before_step([ClipNorm(limit=1.5)], parameters, LR)
    ours, given = (torch.cat([tensor.flatten() for tensor in each]) for each in ([p.grad for p in parameters], grads))
    assert ours.norm().item() == pytest.approx(1.5, rel=1e-5)
    assert torch.nn.functional.cosine_similarity(ours, given, dim=0).item() == pytest.approx(1)


def test_max_norm_limits_each_row_and_each_filter_and_no_bias():
    parameters, before, _grads = gradients()
    with torch.no_grad():
        for parameter in parameters:
            parameter.mul_(10)
        parameters[2][1] = 0  # a row of zeros stays one
    after_step([MaxNorm(limit=0.7)], parameters)
    conv, conv_bias, linear, linear_bias = parameters
    for weight, start in ((conv, before[0] * 10), (linear, before[2] * 10)):
        norms = start.flatten(1).norm(dim=1)
        norms[(weight.flatten(1) == 0).all(1)] = 0
        assert torch.allclose(weight.flatten(1).norm(dim=1), norms.clamp_max(0.7), rtol=1e-12)
        row = weight.flatten(1)[0]
        assert torch.nn.functional.cosine_similarity(row, start.flatten(1)[0], dim=0).item() == pytest.approx(1)
    assert torch.equal(conv_bias, before[1] * 10)
    assert torch.equal(linear_bias, before[3] * 10)


def test_max_norm_leaves_short_rows_to_the_bit():
    parameters, before, _grads = gradients()
    after_step([MaxNorm(limit=1e6)], parameters)
    assert differs(parameters, before) == 0


def test_the_order_of_the_list_does_not_count():
    strong = [
        L1(strength=0.5),
        L2(strength=0.5),
        ClipNorm(limit=0.5),
        ClipValue(limit=0.1),
        WeightDecay(strength=1.0),
        MaxNorm(),
    ]
    forwards = trained(lambda p: torch.optim.SGD(p, lr=LR), strong, steps=5)
    backwards = trained(lambda p: torch.optim.SGD(p, lr=LR), strong[::-1], steps=5)
    assert differs(forwards, backwards) == 0
    assert [one.moment for one in in_order(strong[::-1])] == ["gradient", "gradient", "clip", "clip", "decay", "limit"]


def test_penalties_are_clipped_and_decay_is_not():
    parameters, before, _grads = gradients(0)
    before_step([ClipNorm(limit=0.1), L2(strength=1.0), WeightDecay(strength=1.0)], parameters, 0.5)
    total = torch.cat([parameter.grad.flatten() for parameter in parameters]).norm().item()
    assert total == pytest.approx(0.1, rel=1e-4)
    for parameter, weight in zip(parameters, before, strict=True):
        assert torch.allclose(parameter, weight * 0.5, rtol=1e-15)


def test_parameters_without_a_gradient_are_left_alone():
    parameters, before, _grads = gradients()
    parameters[0].grad = None
    before_step([L1(), L2(), WeightDecay(), ClipNorm(), ClipValue()], parameters, LR)
    assert torch.equal(parameters[0], before[0])
    assert parameters[0].grad is None


def with_statistics():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.05])
def test_the_average_is_that_of_torch_once_the_warm_up_is_over(decay):
    """With 0.05 the warm-up is over in the first step; torch's first update copies the model, so it starts one step later."""
    model = with_statistics()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    regularizer = WeightAverage(decay=decay)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    theirs.n_averaged += 1
    ours = copy.deepcopy(theirs.module)
    for number in range(8, 40):  # (1 + 8) / (10 + 8) = 0.5
        optimizer.zero_grad()
        model(torch.randn(5, 3, dtype=torch.float64)).square().mean().backward()
        optimizer.step()
        average_step(regularizer, ours, model, number)
        theirs.update_parameters(model)
    assert differs(list(ours.parameters()), list(theirs.module.parameters())) <= 1e-15
    for name, buffer in ours.named_buffers():
        assert torch.equal(buffer, dict(model.named_buffers())[name])
        assert torch.equal(buffer, dict(theirs.module.named_buffers())[name])


def test_the_average_of_the_first_steps_is_short():
    model, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(average.weight)
    expected = 0.0
    for number in range(1, 200):
        nn.init.constant_(model.weight, float(number))
        average_step(WeightAverage(decay=0.9), average, model, number)
        decay = min(0.9, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * number
    assert average.weight.item() == pytest.approx(expected, rel=1e-5)
    assert WeightAverage(decay=0.9).decay_at(1) == 2 / 11
    assert WeightAverage(decay=0.9).decay_at(80) == 0.9


def test_the_average_is_found_among_the_regularizers():
    assert average_of([L1(), WeightAverage(decay=0.5)]) == WeightAverage(decay=0.5)
    assert average_of([L1()]) is None


@pytest.mark.parametrize("cls", choices(AnyRegularizer), ids=lambda cls: cls.kind_name())
def test_every_regularizer_has_a_moment_and_a_paper(cls):
    assert cls.moment in MOMENTS
    assert cls.source


@pytest.mark.parametrize("cls", choices(AnyRegularizer), ids=lambda cls: cls.kind_name())
def test_every_regularizer_changes_something_at_its_moment_alone(cls):
    parameters, before, grads = gradients(100)
    with torch.no_grad():
        for parameter, start in zip(parameters, before, strict=True):
            parameter.mul_(100)
            start.mul_(100)
    before_step([cls()], parameters, LR)
    moved = differs(parameters, before) > 0
    pulled = differs([parameter.grad for parameter in parameters], grads) > 0
    assert pulled == (cls.moment in ("gradient", "clip"))
    assert moved == (cls.moment == "decay")
    after_step([cls()], parameters)
    assert (differs(parameters, before) > 0) == (cls.moment in ("decay", "limit"))
