"""Lanes trained as one network: each has the curve of the reference, to the last bit where the networks are large."""

import copy
import math
import warnings

import pytest
import torch

from core.data.rendered import RenderedDigits
from core.data.toy import PlaneRegression
from core.experiment.experiment import Lane
from core.models.layers.activation import Activation, OverClasses, PReLU
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.optim.losses import AnyLoss, CrossEntropy, MeanSquaredError
from core.optim.optimizers import AnyOptimizer
from core.optim.regularizers import AnyRegularizer, WeightAverage
from core.optim.rules_menu import rule_for
from core.spec import choices
from core.training.executors import batched
from core.training.executors.batched import Batched
from core.training.executors.reference import Reference
from tests.core.samples import linear, stack
from tests.core.training.races_at_hand import CPU, TANH, batches, furthest, lanes, race, reference_rows, series_of, weights

STEPS, NEAR = 100, 1e-6
ACTIVATIONS = [cls for cls in choices(AnyLayer) if issubclass(cls, Activation | OverClasses) and cls is not PReLU]
DROPOUT = ("Dropout", {"p": 0.3})


@pytest.fixture(params=["small", "large"])
def layout(request, monkeypatch):
    """Both ways in which weights are kept, whatever the size of the networks."""
    monkeypatch.setattr(batched, "SMALL_NET", 10**9 if request.param == "small" else 0)
    return request.param


def made(experiment):
    found = series_of(experiment)
    assert {Batched.supports(experiment, one, CPU) for one in found} == {""}
    return Batched(experiment, found, CPU)


def assert_is_reference(experiment, n=STEPS):
    executor = made(experiment)
    rows = executor.steps(batches(experiment), 1, n // 2) + executor.steps(batches(experiment), n // 2 + 1, n - n // 2)
    assert furthest(rows, reference_rows(experiment, n)) <= NEAR
    return executor, rows


MODELS = {
    "tanh": TANH,
    "one layer": stack(linear(2)),
    "no biases": stack(("Linear", {"out_features": 6, "bias": False}), "Tanh", ("Linear", {"out_features": 2, "bias": False})),
    "dropout": stack(DROPOUT, linear(8), "Tanh", DROPOUT, linear(6), "Sigmoid", DROPOUT, linear(2)),
    "batch norm": stack(linear(8), "BatchNorm1d", "Tanh", linear(6), "BatchNorm1d", linear(2)),
    "batch norm first": stack("BatchNorm1d", linear(8), "Tanh", linear(2)),
    "layer norm": stack(linear(8), "LayerNorm", "Tanh", linear(6), "LayerNorm", linear(2)),
    "bend first": stack("Flatten", "Tanh", linear(8), "Tanh", linear(2)),
}


@pytest.mark.parametrize(("model", "repeats"), [*((name, 2) for name in MODELS), ("tanh", 1), ("dropout", 1)])
def test_each_lane_has_the_curve_of_the_reference(model, repeats, layout):
    assert_is_reference(race(MODELS[model], repeats=repeats))


@pytest.mark.parametrize("cls", ACTIVATIONS, ids=lambda cls: cls.kind_name())
def test_every_activation_without_weights_has_a_stacked_form(cls, layout):
    assert_is_reference(race(ModelSpec(layers=(*stack(linear(5)).layers, cls(), *stack(linear(2)).layers))), 20)


@pytest.mark.parametrize("cls", choices(AnyLoss), ids=lambda cls: cls.kind_name())
def test_every_loss_has_a_stacked_form(cls, layout):
    is_number = cls.task == "regression"
    model = stack(linear(6), "Tanh", linear(cls().n_outputs(2)))
    changes = {"data": PlaneRegression(n_points=200)} if is_number else {}
    gentle = lanes(("sgd", {"lr": 0.01}), ("adam", {"lr": 0.003}), ("rmsprop", {"lr": 0.001}))
    assert_is_reference(race(model, loss=cls(), lanes=gentle, repeats=2, **changes), 20)


@pytest.mark.parametrize("loss", [CrossEntropy(), CrossEntropy(label_smoothing=0.1)], ids=["plain", "smoothed"])
def test_targets_may_be_shares_of_classes(loss, layout):
    experiment = race(loss=loss, repeats=2)

    class Mixed:
        def __init__(self):
            self.inner = batches(experiment)

        def batch(self, repeat, number):
            x, y = self.inner.batch(repeat, number)
            return x, torch.eye(2)[y] * 0.7 + 0.15

    rows = made(experiment).steps(Mixed(), 1, 50)
    assert furthest(rows, Reference(experiment, series_of(experiment), CPU).steps(Mixed(), 1, 50)) <= NEAR


def test_every_optimizer_with_a_rule_races_in_one_network(layout):
    optimizers = [cls() for cls in choices(AnyOptimizer) if rule_for(cls())]
    assert len(optimizers) >= 12
    assert_is_reference(race(lanes=tuple(Lane(optimizer=one) for one in optimizers), repeats=2), 50)


@pytest.mark.parametrize("cls", choices(AnyRegularizer), ids=lambda cls: cls.kind_name())
def test_every_regularizer_acts_on_its_own_lane_alone(cls, layout):
    strong = {"strength": 0.05} if "strength" in cls.model_fields else {"limit": 0.5} if "limit" in cls.model_fields else {}
    first, *others = race().lanes
    held = first.but(regularizers=(cls(**strong),))
    experiment = race(lanes=(held, *others, *(lane.but(regularizers=(cls(**strong),)) for lane in others)))
    together, alone = series_of(experiment), series_of(experiment)
    for one in together + alone:
        if cls is WeightAverage and one.lane.regularizers:
            one.average = copy.deepcopy(one.model)
    rows = Batched(experiment, together, CPU).steps(batches(experiment), 1, 40)
    assert furthest(rows, Reference(experiment, alone, CPU).steps(batches(experiment), 1, 40)) <= NEAR
    for one, other in zip(together, alone, strict=True):
        for ours, theirs in zip(one.evaluated.parameters(), other.evaluated.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_large_networks_have_the_bits_of_the_reference():
    model = stack("Flatten", linear(24), "BatchNorm1d", "ReLU", DROPOUT, linear(16), "ReLU", linear(10))
    experiment = race(model, data=RenderedDigits(n_examples=600), batch_size=32, repeats=2)
    calm = tuple(lane.but(optimizer=lane.optimizer.but(lr=lane.optimizer.lr * 0.3)) for lane in experiment.lanes)
    experiment = experiment.but(lanes=calm)
    executor, reference = made(experiment), Reference(experiment, series_of(experiment), CPU)
    assert executor.steps(batches(experiment), 1, STEPS) == reference.steps(batches(experiment), 1, STEPS)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(weights(executor), weights(reference), strict=True))


def test_equal_seeds_give_equal_bits(layout):
    experiment = race(MODELS["dropout"], repeats=2)
    first, again = (made(experiment) for _ in range(2))
    assert first.steps(batches(experiment), 1, 40) == again.steps(batches(experiment), 1, 40)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))


def test_the_bits_of_a_lane_do_not_depend_on_its_neighbours(layout):
    experiment = race(MODELS["dropout"], repeats=2)
    together, fewer = series_of(experiment), series_of(experiment)[1::3]
    source = batches(experiment)
    rows = Batched(experiment, together, CPU).steps(source, 1, 20)
    assert [row[1::3] for row in rows] == Batched(experiment, fewer, CPU).steps(source, 1, 20)


def test_steps_at_once_and_one_by_one_give_equal_bits(layout):
    experiment = race()
    at_once, one_by_one = made(experiment), made(experiment)
    source = batches(experiment)
    rows = [one_by_one.steps(source, number, 1)[0] for number in range(1, 41)]
    assert at_once.steps(source, 1, 40) == rows


def test_models_are_views_of_the_stacks_both_ways(layout):
    experiment = race()
    executor, source = made(experiment), batches(experiment)
    executor.steps(source, 1, 3)
    first = executor.series[0]
    x, y = source.batch(0, 4)
    expected = torch.nn.functional.cross_entropy(first.model(x), y).item()
    assert executor.steps(source, 4, 1)[0][0] == pytest.approx(expected, abs=1e-6)
    first.model.load_state_dict(executor.series[5].model.state_dict())
    losses = executor.steps(source, 5, 1)[0]
    assert losses[0] == pytest.approx(losses[5], abs=1e-7)


@pytest.mark.parametrize("at", [0, 3])
def test_a_series_that_diverges_stops_and_the_others_go_on(at, layout):
    experiment = race(MODELS["batch norm"])
    executor, reference, source = made(experiment), Reference(experiment, series_of(experiment), CPU), batches(experiment)
    for each in (executor, reference):
        each.steps(source, 1, 20)
        with torch.no_grad():
            next(each.series[at].model.parameters()).fill_(math.inf)
    rows, others = executor.steps(source, 21, 30), reference.steps(source, 21, 30)
    assert furthest(rows, others) <= NEAR
    assert not math.isfinite(rows[0][at])
    assert all(math.isnan(row[at]) for row in rows[1:])
    dead = executor.series[at]
    assert dead.died_at == 21
    assert [one.died_at for one in executor.series].count(-1) == len(executor.series) - 1
    assert bool(torch.isinf(next(dead.model.parameters())).all())
    ours, theirs = (each.optimizer_state(each.series[at])["state"] for each in (executor, reference))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_when_all_have_diverged_nothing_is_left_to_do(layout):
    experiment = race()
    executor, source = made(experiment), batches(experiment)
    for one in executor.series:
        with torch.no_grad():
            next(one.model.parameters()).fill_(math.nan)
    rows = executor.steps(source, 1, 3)
    assert all(math.isnan(loss) for row in rows for loss in row)
    assert {one.died_at for one in executor.series} == {1}


def test_a_removed_lane_rests_and_keeps_its_state(layout):
    experiment = race()
    executor, source = made(experiment), batches(experiment)
    executor.steps(source, 1, 5)
    leaver = executor.series[3]
    before = copy.deepcopy(leaver.model.state_dict())
    leaver.is_removed = True
    rows = executor.steps(source, 6, 10)
    assert all(math.isnan(row[3]) and math.isfinite(row[2]) for row in rows)
    assert all(torch.equal(value, before[name]) for name, value in leaver.model.state_dict().items())
    assert executor.optimizer_state(leaver)["state"][0]["step"].item() == 5


def handed_over(old, kind, experiment):
    """A new executor that goes on where the old one stands."""
    new = kind(experiment, series_of(experiment), CPU)
    for one, before in zip(new.series, old.series, strict=True):
        one.model.load_state_dict(before.model.state_dict())
        new.load_optimizer_state(one, copy.deepcopy(old.optimizer_state(before)))
    return new


@pytest.mark.parametrize("kind", [cls for cls in choices(AnyOptimizer) if rule_for(cls())], ids=lambda cls: cls.kind_name())
def test_optimizer_state_goes_from_batched_to_the_reference_and_back(kind, layout):
    experiment = race(lanes=(Lane(optimizer=kind()), Lane(optimizer=kind(lr=kind().lr / 2))))
    source = batches(experiment)
    through, there = made(experiment), made(experiment)
    expected = through.steps(source, 1, 30)
    rows = there.steps(source, 1, 10)
    reference = handed_over(there, Reference, experiment)
    rows += reference.steps(source, 11, 10)
    back = handed_over(reference, Batched, experiment)
    rows += back.steps(source, 21, 10)
    assert furthest(rows, expected) <= NEAR
    bits = handed_over(through, Batched, experiment)
    assert bits.steps(source, 31, 10) == through.steps(source, 31, 10)


def test_other_numbers_hold_from_the_next_step_on(layout):
    experiment = race()
    source = batches(experiment)
    pair = made(experiment), Reference(experiment, series_of(experiment), CPU)
    rows = []
    for executor in pair:
        told = executor.steps(source, 1, 10)
        one = executor.series[3]
        one.lane = one.lane.with_number("lr", 0.05).with_number("beta1", 0.5)
        executor.retune(one)
        rows.append(told + executor.steps(source, 11, 30))
    assert furthest(*rows) <= NEAR
    assert furthest(rows[0][11:], reference_rows(experiment, 40)[11:]) > 1e-3


def test_a_plateau_holds_from_the_next_call_on(layout):
    experiment = race()
    source, rows = batches(experiment), []
    for executor in (made(experiment), Reference(experiment, series_of(experiment), CPU)):
        told = executor.steps(source, 1, 10)
        executor.series[4].plateau_factor = 0.1
        rows.append(told + executor.steps(source, 11, 20))
    assert furthest(*rows) <= NEAR


@pytest.mark.parametrize("data", ["classes", "numbers"])
def test_measures_are_those_of_the_reference(data, layout):
    numbers = {"data": PlaneRegression(n_points=200), "loss": MeanSquaredError(), "model": stack(linear(6), "Tanh", linear(1))}
    experiment = race(**numbers if data == "numbers" else {}, repeats=2)
    ours, theirs = made(experiment), Reference(experiment, series_of(experiment), CPU)
    for executor in (ours, theirs):
        executor.steps(batches(experiment), 1, 12, is_measured=True)
    for one, other in zip(ours.measures(), theirs.measures(), strict=True):
        for name in ("gradient_norm", "update_norm", "weight_norm", "accuracy"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=2e-4), name
        assert one.cost_s > 0


REFUSED = {
    "convolution": {"model": stack("Conv2d", "Flatten", linear(10)), "data": RenderedDigits(n_examples=200)},
    "slopes": {"model": stack(linear(3), "PReLU", linear(2))},
    "norm of maps": {"model": stack("LayerNorm", "Flatten", linear(10)), "data": RenderedDigits(n_examples=200)},
    "nothing to stack": {"model": stack("BatchNorm1d")},
    "parts": {"accumulation": 2},
    "bfloat16": {"precision": "bfloat16"},
    "L-BFGS": {"lanes": lanes(("lbfgs", {}))},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_stacked_form_is_refused_in_words(name):
    experiment = race(**REFUSED[name])
    assert len(Batched.supports(experiment, series_of(experiment)[0], CPU)) > 10


def test_no_warning_is_given_for_unusual_losses():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cls in choices(AnyLoss):
            if cls.task == "classification":
                experiment = race(stack(linear(cls().n_outputs(2))), loss=cls(), repeats=2)
                made(experiment).steps(batches(experiment), 1, 2)
