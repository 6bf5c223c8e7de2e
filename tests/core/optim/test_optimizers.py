"""Every optimizer against its formula written out by hand, and what its row on the menu says of it."""

import importlib
import re
from itertools import islice, pairwise

import numpy as np
import pytest
import torch

from core.optim.optimizers import AnyOptimizer, OptimizerChoice
from core.optim.optimizers_adaptive import Adadelta, Adagrad, RMSprop, Rprop
from core.optim.optimizers_gradient import ASGD, SGD, GradientDescent, Lion
from core.optim.optimizers_matrix import LBFGS, Adafactor, Muon
from core.optim.optimizers_moments import Adam, Adamax, AdamW, NAdam, RAdam
from core.spec import choices
from core.training.checkpoints import TrainingState, load_state, state_bytes
from dashboard.components.fields import fields_of
from tests.core.optim import hand_rules as by_hand

ALL = choices(AnyOptimizer)
N = 8
_rng = np.random.default_rng(4)
_half = _rng.normal(size=(N, N))
A = _half @ _half.T / N + 0.1 * np.eye(N)
B = _rng.normal(size=N)
START = _rng.normal(size=N)


def slope(w: np.ndarray) -> np.ndarray:
    """Gradient of 0.5 w'Aw - b'w."""
    return A @ w - B


class Quadratic:
    """0.5 w'Aw - b'w for torch: a matrix and a vector of weights, float64 where nothing else is said."""

    def __init__(self, dtype: torch.dtype = torch.float64) -> None:
        whole = torch.tensor(START, dtype=dtype)
        parts = whole.split([6, 2])
        self.parameters = [torch.nn.Parameter(part.reshape(shape)) for part, shape in zip(parts, by_hand.SHAPES, strict=True)]
        self.a, self.b = torch.tensor(A, dtype=dtype), torch.tensor(B, dtype=dtype)

    @property
    def weights(self) -> np.ndarray:
        return torch.cat([one.detach().ravel() for one in self.parameters]).double().numpy().copy()

    def loss(self) -> torch.Tensor:
        """Sets the gradients."""
        w = torch.cat([one.ravel() for one in self.parameters])
        for one in self.parameters:
            one.grad = None
        loss = 0.5 * w @ self.a @ w - self.b @ w
        loss.backward()
        return loss.detach()

    def walk(self, optimizer: torch.optim.Optimizer, n: int) -> list[np.ndarray]:
        """The weights after each of `n` steps."""
        passed = []
        for _ in range(n):
            if isinstance(optimizer, torch.optim.LBFGS):
                optimizer.step(self.loss)
            else:
                self.loss()
                optimizer.step()
            passed.append(self.weights)
        return passed


BETAS = {"beta1": 0.8, "beta2": 0.95}
PULL = {"weight_decay": 0.1}


def same(cls, rule, **numbers):
    """A case where the optimizer and its rule by hand take the same numbers."""
    return [(cls(**numbers), rule, numbers)]


CASES = [
    (GradientDescent(**PULL), by_hand.sgd, PULL),
    (SGD(), by_hand.sgd, {}),
    *same(SGD, by_hand.sgd, lr=0.2, momentum=0.9, dampening=0.3, **PULL),
    *same(SGD, by_hand.sgd, momentum=0.9, nesterov=True),
    (SGD(nesterov=True), by_hand.sgd, {}),
    (SGD(momentum=0.9, nesterov=True, dampening=0.5), by_hand.sgd, {"momentum": 0.9, "nesterov": True}),
    *same(ASGD, by_hand.asgd, lr=0.1, lambd=0.2, **PULL),
    *same(ASGD, by_hand.asgd, lr=0.1, lambd=0.01, alpha=0.5),
    *same(Lion, by_hand.lion, lr=0.05, **PULL),
    *same(RMSprop, by_hand.rmsprop, lr=0.01, **PULL),
    *same(RMSprop, by_hand.rmsprop, lr=0.01, momentum=0.9),
    *same(RMSprop, by_hand.rmsprop, lr=0.01, alpha=0.9, momentum=0.5, centered=True, eps=1e-3),
    *same(Adagrad, by_hand.adagrad, lr=0.1, lr_decay=0.3, **PULL),
    (Adadelta(), by_hand.adadelta, {"lr": 1.0}),
    *same(Adadelta, by_hand.adadelta, lr=0.5, rho=0.5, eps=1e-3, **PULL),
    *same(Rprop, by_hand.rprop, lr=0.3, step_max=0.5),
    *same(Rprop, by_hand.rprop, lr=0.09, eta_minus=0.05, eta_plus=10.0, step_min=0.01),
    *same(Adam, by_hand.adam, lr=0.05),
    *same(Adam, by_hand.adam, lr=0.05, **BETAS, eps=1e-3, **PULL),
    *same(Adam, by_hand.adam, lr=0.5, **BETAS, amsgrad=True),
    *same(AdamW, by_hand.adamw, lr=0.05),
    *same(AdamW, by_hand.adamw, lr=0.5, **BETAS, amsgrad=True, **PULL),
    (NAdam(), by_hand.nadam, {"lr": 0.002}),
    *same(NAdam, by_hand.nadam, lr=0.1, momentum_decay=0.5, **PULL),
    (NAdam(lr=0.1, **PULL, decoupled_weight_decay=True), by_hand.nadam, {"lr": 0.1, **PULL, "decoupled": True}),
    *same(RAdam, by_hand.radam, lr=0.1, **PULL),
    (RAdam(lr=0.1, **PULL, decoupled_weight_decay=True), by_hand.radam, {"lr": 0.1, **PULL, "decoupled": True}),
    *same(Adamax, by_hand.adamax, lr=0.1, **BETAS, **PULL),
    *same(Adafactor, by_hand.adafactor, lr=0.1),
    *same(Adafactor, by_hand.adafactor, lr=0.6, beta2_decay=-0.5, eps2=0.1, d=2.0, **PULL),
    (LBFGS(max_iter=1, strong_wolfe=False), by_hand.lbfgs, {}),
    (LBFGS(lr=0.7, max_iter=1, history_size=2, strong_wolfe=False), by_hand.lbfgs, {"lr": 0.7, "history_size": 2}),
]
EXACT = [pytest.param(*case, id=f"{case[0].kind}-{number}") for number, case in enumerate(CASES)]


@pytest.fixture
def whole_precision():
    """Numbers that torch keeps once for a whole tensor (NAdam's product of momenta, ASGD's rate) in float64, too."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("whole_precision")
@pytest.mark.parametrize(("choice", "rule", "numbers"), EXACT)
def test_the_first_six_steps_on_a_quadratic_are_those_of_the_formula(choice, rule, numbers):
    quadratic = Quadratic()
    ours = quadratic.walk(choice.build(quadratic.parameters), 6)
    theirs = list(islice(rule(START, slope, **numbers), 6))
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-10
    assert np.abs(ours[-1] - START).max() > 1e-3


MUONS = [
    (Muon(lr=0.1, **PULL, ns_steps=1, adjust_lr_fn="original"), {"ns_steps": 1, "size": 1.0, **PULL}, 0.02),
    (Muon(lr=0.1, ns_steps=2), {"ns_steps": 2, "size": 0.2 * 3**0.5}, 0.02),
    (Muon(lr=0.1, momentum=0.5, nesterov=False), {"momentum": 0.5, "nesterov": False, "size": 0.2 * 3**0.5}, 0.03),
]
"""With how far they may be off, as a share of the way: bfloat16 has 8 bits, and each iteration makes an error grow."""


@pytest.mark.parametrize(("choice", "numbers", "tolerance"), MUONS)
def test_muon_follows_its_formula_as_closely_as_bfloat16_can_and_adamw_beside_it_exactly(choice, numbers, tolerance):
    quadratic = Quadratic()
    ours = quadratic.walk(choice.build(quadratic.parameters), 6)
    theirs = list(islice(by_hand.muon(START, slope, lr=0.1, **numbers), 6))
    first, second = (by_hand.split(steps[0]) for steps in (ours, theirs))
    assert np.abs(first[1] - second[1]).max() < 1e-10  # the vector, before the matrices differ
    assert np.linalg.norm(first[0] - second[0]) < tolerance * np.linalg.norm(first[0] - by_hand.split(START)[0])
    assert np.linalg.norm(ours[-1] - theirs[-1]) < tolerance * np.linalg.norm(ours[-1] - START)


def test_every_optimizer_is_held_to_its_formula():
    assert {type(case[0]) for case in (*CASES, *MUONS)} == set(ALL)


def test_the_line_search_of_lbfgs_ends_where_the_strong_wolfe_conditions_hold():
    quadratic = Quadratic()
    passed = [START, *quadratic.walk(LBFGS(max_iter=1).build(quadratic.parameters), 5)]
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for before, after in pairwise(passed):
        g = slope(before)
        direction = -by_hand.inverse_hessian(pairs) @ g if pairs else -g
        length = (after - before) @ direction / (direction @ direction)
        loss, new_loss = (0.5 * w @ A @ w - B @ w for w in (before, after))
        assert np.abs(after - before - length * direction).max() < 1e-10
        assert new_loss <= loss + 1e-4 * length * g @ direction
        assert abs(slope(after) @ direction) <= 0.9 * abs(g @ direction)
        pairs.append((after - before, slope(after) - g))


def test_one_step_of_lbfgs_solves_a_quadratic():
    quadratic = Quadratic()
    quadratic.walk(LBFGS(max_iter=60).build(quadratic.parameters), 1)
    assert np.abs(quadratic.weights - np.linalg.solve(A, B)).max() < 1e-4


def with_all_state(cls: type[OptimizerChoice]) -> OptimizerChoice:
    """The optimizer with everything on that it may remember."""
    flags = {"momentum": 0.9, "centered": True, "amsgrad": True, "history_size": 3, "max_iter": 2}
    return cls(**{name: value for name, value in flags.items() if name in cls.model_fields})


SETTINGS = [
    pytest.param(make(cls), id=f"{cls.kind_name()}-{name}")
    for cls in ALL
    for name, make in (("plain", lambda c: c()), ("all", with_all_state))
]


@pytest.mark.parametrize("choice", SETTINGS)
def test_a_state_that_went_through_a_checkpoint_goes_on_bit_for_bit(choice):
    whole, first, second = (Quadratic(torch.float32) for _ in range(3))
    expected = whole.walk(choice.build(whole.parameters), 8)
    optimizer = choice.build(first.parameters)
    first.walk(optimizer, 5)
    models = ({str(i): one.detach() for i, one in enumerate(first.parameters)},)
    state = load_state(state_bytes(TrainingState(5, 0.0, "", models, (optimizer.state_dict(),))))
    with torch.no_grad():
        for i, one in enumerate(second.parameters):
            one.copy_(state.models[0][str(i)])
    resumed = choice.build(second.parameters)
    resumed.load_state_dict(state.optimizers[0])
    assert np.array_equal(second.walk(resumed, 3), expected[5:])


@pytest.mark.parametrize("choice", SETTINGS)
def test_it_keeps_as_many_numbers_for_each_parameter_as_it_says(choice):
    parameters = [torch.nn.Parameter(torch.randn(20, 20, generator=torch.Generator().manual_seed(0)))]
    optimizer = choice.build(parameters)

    def loss():
        parameters[0].grad = parameters[0].detach() * torch.arange(1, 401).reshape(20, 20)
        return (parameters[0].detach() * parameters[0].grad).sum() / 2

    for _ in range(6):
        loss()
        optimizer.step(loss) if choice.needs_closure else optimizer.step()
    tensors = [
        value for slots in optimizer.state_dict()["state"].values() for value in slots.values() if torch.is_tensor(value)
    ]
    kept = sum(tensor.numel() for tensor in tensors if tensor.ndim > 0) / 400
    if isinstance(choice, Adafactor | Muon):  # a matrix takes less than a vector
        assert kept <= choice.n_state
    else:
        assert round(kept) == choice.n_kept
    assert type(choice)().n_kept >= choice.n_state


@pytest.mark.parametrize("cls", ALL)
def test_its_row_on_the_menu_is_complete(cls):
    assert cls.source
    assert len(cls.state) >= cls.n_state if cls is not LBFGS else cls.n_state == cls().n_kept
    assert cls.large_lr > cls().lr
    assert cls.formula.count("{") == cls.formula.count("}")
    opened, closed = (re.findall(rf"\\{word}\{{(\w+)\}}", cls.formula) for word in ("begin", "end"))
    assert sorted(opened) == sorted(closed)
    assert opened[0] == "aligned"
    assert r"\theta_t" in cls.formula or r"\Theta_t" in cls.formula or r"\theta_{k+1}" in cls.formula
    assert not re.search(r"[^\x00-\x7f]", cls.formula)


@pytest.mark.parametrize("cls", ALL)
def test_torch_takes_every_number_that_the_menu_takes(cls):
    for field in fields_of(cls):
        edges = (field.min, field.max) if field.kind in ("int", "float") else field.choices or (False, True)
        for edge in edges:
            choice = cls().but(**{field.name: field.clamp(edge)})
            assert choice.build(Quadratic().parameters).param_groups


@pytest.mark.parametrize("cls", [cls for cls in ALL if cls.has_fused])
@pytest.mark.parametrize("make", [lambda cls: cls(), with_all_state])
def test_the_fused_kernel_makes_the_same_steps(cls, make):
    choice = make(cls)
    fused, plain = Quadratic(torch.float32), Quadratic(torch.float32)
    module, name = choice.torch_class.split(":")
    optimizer = choice.build(fused.parameters)
    assert optimizer.param_groups[0]["fused"]
    unfused = getattr(importlib.import_module(module), name)(plain.parameters, **choice.arguments(), fused=False)
    assert np.abs(np.subtract(fused.walk(optimizer, 20), plain.walk(unfused, 20))).max() < 1e-6


def test_a_device_without_the_fused_kernel_gets_the_plain_one():
    assert not Adagrad().build(Quadratic().parameters, "cuda").param_groups[0].get("fused")
    assert not Adam().build(Quadratic().parameters, "xla").param_groups[0].get("fused")


@pytest.mark.parametrize("cls", ALL)
def test_numbers_that_change_within_a_run_are_in_the_groups_under_torchs_names(cls):
    for group in cls().build(Quadratic().parameters).param_groups:
        assert set(cls().arguments()) <= set(group)


@pytest.mark.parametrize("cls", ALL)
def test_a_later_learning_rate_matters_unless_the_menu_says_so(cls):
    passed = []
    for factor in (1, 0.5):
        quadratic = Quadratic()
        optimizer = cls(**({"max_iter": 1, "strong_wolfe": False} if cls is LBFGS else {})).build(quadratic.parameters)
        quadratic.walk(optimizer, 1)
        for group in optimizer.param_groups:
            group["lr"] *= factor
        passed.append(quadratic.walk(optimizer, 3)[-1])
    assert np.array_equal(*passed) == cls.uses_lr_once


@pytest.mark.parametrize("cls", [cls for cls in ALL if cls.needs_closure])
def test_a_step_that_evaluates_the_loss_itself_cannot_do_without(cls):
    with pytest.raises(TypeError, match="closure"):
        cls().build(Quadratic().parameters).step()
