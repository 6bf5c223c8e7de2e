"""Update rules on rows of many series: each row is torch.optim alone, with its own numbers, to and from torch's state."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from core.optim.optimizer import OptimizerChoice
from core.optim.optimizers import AnyOptimizer
from core.optim.rules_fused import FusedGroup, _is_right, group_of_one, has_kernel
from core.optim.rules_group import Group, Place
from core.optim.rules_menu import rule_for
from core.spec import choices

N, STEPS = 23, 200
CURVATURE = torch.linspace(0.02, 1.5, N, dtype=torch.float64)
OTHER: dict[str, Any] = {
    "momentum": 0.7,
    "dampening": 0.3,
    "weight_decay": 0.02,
    "lambd": 0.01,
    "t0": 5.0,
    "lr_decay": 0.01,
    "beta1": 0.6,
    "beta2": 0.9,
    "rho": 0.7,
    "alpha": 0.8,
    "eps": 1e-3,
    "eta_minus": 0.4,
    "eta_plus": 1.3,
    "step_min": 1e-3,
    "step_max": 0.02,
    "momentum_decay": 0.1,
}
"""A second value for each number, far from the default."""


def variants(cls: type[OptimizerChoice]) -> list[OptimizerChoice]:
    """The optimizer with its defaults, with all other numbers at once, and with each switch, with and without momentum."""
    default = cls()
    numbers = {name: OTHER[name] for name, info in cls.knobs().items() if info.annotation is float and name in OTHER}
    switches = [name for name, info in cls.knobs().items() if info.annotation is bool]
    without = {name: value for name, value in numbers.items() if name != "momentum"}
    made = [default, default.but(lr=default.lr * 3, **without)]
    if "momentum" in numbers:
        made.append(default.but(**numbers))
    for name in switches:
        made += [each.but(**{name: not getattr(default, name)}) for each in made]
    return made


WITH_RULE = {cls.kind_name(): found for cls in choices(AnyOptimizer) if (found := [v for v in variants(cls) if rule_for(v)])}
FAMILIES: dict[str, list[OptimizerChoice]] = {}
for _variant in (each for found in WITH_RULE.values() for each in found):
    FAMILIES.setdefault(rule_for(_variant).family.update.__name__, []).append(_variant)


@pytest.fixture(params=[torch.float64, torch.float32], ids=["float64", "float32"])
def dtype(request):
    """The type of the weights, also torch's own, in which it keeps the plain numbers of its state."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


def start(dtype: torch.dtype) -> torch.Tensor:
    return torch.linspace(-1, 1, N, dtype=torch.float64).sin().to(dtype)


def gradient(p: torch.Tensor, t: int) -> torch.Tensor:
    """Of a quadratic that is pushed about: the error of a step feeds back, but does not grow by itself."""
    return p * CURVATURE.to(p.dtype) + 0.3 * torch.sin(torch.arange(N, dtype=p.dtype) + 0.7 * t)


def rates(optimizers: list[OptimizerChoice], n: int) -> np.ndarray:
    """(n, series): a learning rate that falls and rises, of its own for each."""
    return np.array([[one.lr * (1 + 0.5 * np.cos(0.1 * t + row)) for row, one in enumerate(optimizers)] for t in range(n)])


def torch_steps(optimizer: torch.optim.Optimizer, p: torch.nn.Parameter, first: int, table: np.ndarray) -> None:
    for t, rate in enumerate(table, first):
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        p.grad = gradient(p.detach(), t)
        optimizer.step()


def group_steps(group: Group, first: int, table: np.ndarray) -> None:
    (p, g), *_ = group.blocks
    for at in range(0, len(table), 64):
        part = table[at : at + 64]
        group.look_ahead(part)
        for t in range(first + at, first + at + len(part)):
            g.copy_(gradient(p, t))
            group.step()


def made_group(optimizers: list[OptimizerChoice], dtype: torch.dtype) -> Group:
    p = start(dtype).repeat(len(optimizers), 1)
    return Group(optimizers, [(p, torch.zeros_like(p))])


def alone(optimizer: OptimizerChoice, dtype: torch.dtype) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
    p = torch.nn.Parameter(start(dtype))
    return p, optimizer.build([p], "none")  # a device without fused kernels: torch's own loops


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_is_torch_optim_alone_for_200_steps(family, dtype):
    optimizers = FAMILIES[family]
    table = rates(optimizers, STEPS)
    group = made_group(optimizers, dtype)
    group_steps(group, 1, table)
    # float32: 200 updates, each rounded by up to half a unit in the last place of weights up to 4 in size (2.4e-7), in a sum
    # that forgets slowly; the signs of Lion and Rprop make no difference here, as no gradient comes near zero by rounding.
    tolerance = 1e-10 if dtype == torch.float64 else 2e-5
    for row, optimizer in enumerate(optimizers):
        p, other = alone(optimizer, dtype)
        torch_steps(other, p, 1, table[:, row])
        assert (p.detach() - start(dtype)).abs().max() > 1e-3, "nothing was trained"
        assert (group.blocks[0][0][row] - p.detach()).abs().max() < tolerance, optimizer


@pytest.mark.parametrize("kind", WITH_RULE)
def test_state_goes_to_torch_optim_and_back(kind, dtype):
    optimizers = WITH_RULE[kind]
    places = [Place(0, 0, torch.Size([N]))]
    for optimizer in optimizers:
        group, (p, other) = made_group([optimizer], dtype), alone(optimizer, dtype)
        table = rates([optimizer], 90)
        group_steps(group, 1, table[:30])
        state = other.state_dict() | {"state": copy.deepcopy(group.torch_state(0, places))}  # torch would go on in our tensors
        with torch.no_grad():
            p.copy_(group.blocks[0][0][0])
        other.load_state_dict(state)
        torch_steps(other, p, 31, table[30:60, 0])
        back = made_group([optimizer], dtype)
        back.blocks[0][0][0].copy_(p.detach())
        back.load_torch_state(0, places, other.state_dict()["state"])
        group_steps(group, 31, table[30:])
        group_steps(back, 61, table[60:])
        tolerance = 1e-10 if dtype == torch.float64 else 2e-5
        assert (group.blocks[0][0] - back.blocks[0][0]).abs().max() < tolerance, optimizer


@pytest.mark.parametrize("kind", WITH_RULE)
def test_state_has_the_names_and_values_of_torch_optim(kind):
    for optimizer in WITH_RULE[kind]:
        group, (p, other) = made_group([optimizer], torch.float32), alone(optimizer, torch.float32)
        table = rates([optimizer], 12)
        group_steps(group, 1, table)
        torch_steps(other, p, 1, table[:, 0])
        ours, theirs = group.torch_state(0, [Place(0, 0, p.shape)]), other.state_dict()["state"]
        slots = {name: value for name, value in theirs.get(0, {}).items() if value is not None}
        assert set(ours.get(0, {})) == set(slots), optimizer
        for name, value in slots.items():
            torch.testing.assert_close(ours[0][name], torch.as_tensor(value), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", WITH_RULE)
def test_a_step_taken_back_leaves_weights_state_and_count(kind):
    optimizer = WITH_RULE[kind][-1]
    group, other = made_group([optimizer, optimizer], torch.float32), made_group([optimizer, optimizer], torch.float32)
    table = rates([optimizer, optimizer], 9)
    for each in (group, other):
        group_steps(each, 1, table[:4])
    group.torch_state(1, [Place(0, 0, torch.Size([N]))])  # asked in between, which must change nothing
    kept = group.kept(0)
    group_steps(group, 5, table[4:5])
    group.put_back(0, kept)
    group_steps(group, 6, table[5:])
    group_steps(other, 6, table[5:])
    assert torch.equal(group.blocks[0][0][0], other.blocks[0][0][0])
    assert not torch.equal(group.blocks[0][0][1], other.blocks[0][0][1])


def test_numbers_of_one_member_change_from_the_next_look_ahead_on():
    adam = WITH_RULE["adam"][0]
    group = made_group([adam, adam], torch.float32)
    table = rates([adam, adam], 10)[:, [0, 0]]
    group_steps(group, 1, table[:5])
    assert torch.equal(*group.blocks[0][0])
    group.retune(1, adam.but(beta1=0.1))
    group_steps(group, 6, table[5:])
    assert not torch.equal(*group.blocks[0][0])


KERNELS = [variant for found in WITH_RULE.values() for variant in found if has_kernel(variant)]


def test_torch_has_kernels_for_the_optimizers_that_people_race():
    assert {"sgd", "adam", "adamw", "adagrad", "rmsprop"} <= {one.kind for one in KERNELS}


@pytest.mark.parametrize("optimizer", KERNELS, ids=str)
def test_kernels_give_torch_optims_own_bits(optimizer):
    p = start(torch.float32)[None].clone()
    group = group_of_one(optimizer, [(p, torch.zeros_like(p))])
    assert isinstance(group, FusedGroup)
    table = rates([optimizer], 50)
    group_steps(group, 1, table)
    other = torch.nn.Parameter(start(torch.float32))
    torch_steps(optimizer.build([other], "cpu"), other, 1, table[:, 0])
    assert torch.equal(p[0], other.detach())


def test_a_kernel_that_is_gone_or_wrong_is_not_used(monkeypatch):
    adam = WITH_RULE["adam"][0]
    block = [(torch.zeros(1, 3), torch.zeros(1, 3))]
    for broken in (None, lambda *_, **__: None):
        _is_right.cache_clear()
        monkeypatch.setattr(torch, "_fused_adam_", broken)
        assert type(group_of_one(adam, block)) is Group
    _is_right.cache_clear()


def test_optimizers_that_are_not_elementwise_have_no_rule():
    without = {cls.kind_name() for cls in choices(AnyOptimizer)} - set(WITH_RULE)
    assert {"gradient_descent", "lbfgs", "muon", "adafactor"} <= without
    assert len(WITH_RULE) >= 12
