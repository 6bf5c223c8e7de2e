"""Histograms equal numpy's over the same bins, whatever came before; gradients equal autograd by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.gradient_flow import backward, changes, norm, own_parameters
from core.inspection.weight_statistics import MAX_ROWS, MAX_VALUES, ValueHistory
from core.models.modules.branches import Residual

RANDOM = np.random.default_rng(0)
MOMENTS = {
    "growing": [RANDOM.normal(scale=scale, size=500) for scale in (1e-6, 0.01, 3.0)],
    "shrinking": [RANDOM.normal(scale=scale, size=500) for scale in (50.0, 0.1, 1e-5)],
    "after a ReLU": [np.maximum(RANDOM.normal(size=400), 0) for _ in range(3)],
    "powers of two": [np.array([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 4.0]), np.array([8.0, -8.0])],
    "one number": [np.array([0.7]), np.array([0.7])],
    "zeros at first": [np.zeros(10), np.array([1e-4, -3e-4])],
}


def history(moments) -> ValueHistory:
    made = ValueHistory()
    for values in moments:
        made.moment()
        made.add(np.asarray(values, np.float32))
    return made


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("scale", ["even", "logarithmic"])
def test_counts_equal_numpy_over_the_same_edges_at_every_moment(name, scale):
    moments = [np.asarray(values, np.float32).astype(float) for values in MOMENTS[name]]
    edges, counts = getattr(history(moments), scale)()
    assert counts.shape == (len(moments), len(edges) - 1)
    for values, row in zip(moments, counts, strict=True):
        assert np.array_equal(row, np.histogram(values, edges)[0])
        assert row.sum() == len(values)
    assert counts.sum(0)[[0, -1]].all()


@pytest.mark.parametrize("name", MOMENTS)
def test_even_bins_are_few_and_of_one_width(name):
    edges, _ = history(MOMENTS[name]).even()
    assert 1 <= len(edges) - 1 <= MAX_ROWS
    assert len(set(np.diff(edges))) == 1


def test_values_in_parts_count_as_values_at_once():
    values = MOMENTS["growing"][2]
    at_once, in_parts = history([values]), ValueHistory()
    in_parts.moment()
    for part in np.split(values, 10):
        in_parts.add(part.astype(np.float32))
    for scale in ("even", "logarithmic"):
        for one, other in zip(getattr(at_once, scale)(), getattr(in_parts, scale)(), strict=True):
            assert np.array_equal(one, other)


def test_the_middle_of_a_logarithmic_histogram_swallows_few_values_beside_zeros():
    values = np.concatenate([np.zeros(1000), RANDOM.normal(size=1000)])
    edges, counts = history([values]).logarithmic()
    middle = int(np.searchsorted(edges, 0)) - 1
    assert edges[middle] == -edges[middle + 1]
    assert 1000 <= counts[0, middle] <= 1010


def test_nothing_but_zeros_is_one_bin_and_what_is_not_finite_is_left_out():
    for scale in ("even", "logarithmic"):
        edges, counts = getattr(history([np.zeros(5)]), scale)()
        assert (counts.tolist(), len(edges)) == ([[5]], 2)
        assert -1 < edges[0] <= 0 <= edges[1] < 1
    _, counts = history([[np.nan, np.inf, 1.0]]).even()
    assert counts.sum() == 1


def test_of_very_many_values_evenly_spread_ones_are_counted():
    made = history([np.linspace(-1, 1, 3 * MAX_VALUES)])
    assert made.is_sampled
    assert made.even()[1].sum() == MAX_VALUES
    assert not history([np.zeros(9)]).is_sampled


def net() -> nn.Sequential:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(4, 5), nn.Tanh())
    return nn.Sequential(Residual(inner, nn.Linear(4, 5)), nn.Dropout(0.5), nn.BatchNorm1d(5), nn.Linear(5, 3))


def test_each_number_belongs_to_the_innermost_layer_that_has_it():
    model = net()
    layers = [model[0], model[0].inner[0], model[0].inner[1], model[1], model[2], model[3]]
    names = [[name for name, _ in pairs] for pairs in own_parameters(layers)]
    projection = ["projection.weight", "projection.bias"]
    assert names == [projection, ["weight", "bias"], [], [], ["weight", "bias"], ["weight", "bias"]]


@pytest.mark.parametrize("size", [32, 7])
def test_gradients_of_parts_equal_autograd_of_all_examples_by_hand(size):
    model, loss = net().train(), nn.CrossEntropyLoss()
    x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
    seen: dict[int, list[torch.Tensor]] = {}
    parts = list(zip(x.split(size), y.split(size), strict=True))
    value = backward(model, loss, parts, list(model), lambda at, given: seen.setdefault(at, []).append(given))
    parameters = list(model.parameters())
    by_hand = torch.autograd.grad(loss(model.eval()(x), y), parameters)
    for parameter, gradient in zip(parameters, by_hand, strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-6)
    assert value == pytest.approx(loss(model(x), y).item(), rel=1e-5)
    assert torch.allclose(torch.cat(seen[3]), model(x), atol=1e-6)
    assert not any(module._forward_hooks for module in model.modules())


def test_norms_and_changes_are_over_all_numbers_of_a_layer():
    pair = [torch.tensor([3.0]), torch.tensor([[0.0, 4.0]])]
    assert norm(pair) == 5.0
    assert np.isnan(norm([]))
    assert np.isnan(norm([None]))
    moved = changes([pair, []], [[pair[0] + 1, pair[1]], []])
    assert moved[0] == 1.0
    assert np.isnan(moved[1])
