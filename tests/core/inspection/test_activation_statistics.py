"""Dead and saturated units against nets that are made to have them, and against numpy."""

import numpy as np
import pytest
import torch

from core.inspection.activation_histograms import activation_histograms
from core.inspection.activation_statistics import activation_statistics, still_rule
from core.inspection.activations import activation_maps
from core.models.layers.activation import ELU, GELU, LeakyReLU, ReLU
from core.models.layers.recurrent import LSTM, RNN
from core.models.model import build
from core.results.activation_statistics import ActivationStatistics
from core.results.codec import load_result, result_bytes
from tests.core.samples import linear, stack

RNG = np.random.default_rng(0)


def statistics(spec, x, change=lambda model: None) -> tuple[ActivationStatistics, torch.nn.Sequential]:
    model = build(spec, x.shape[1:], seed=0)
    with torch.no_grad():
        change(model)
    told = []
    found = activation_statistics(model, spec.layers, x, 10, lambda done, total: told.append((done, total)))
    assert told[0] == (0, len(x))
    assert told[-1] == (len(x), len(x))
    return found, model


def test_a_channel_that_is_zero_for_all_examples_is_dead_and_one_that_is_zero_for_many_is_not():
    def kill(model):
        model[0].weight[1] = 0
        model[0].bias[1] = -1
        model[0].bias[2] = -0.4

    x = RNG.random((70, 1, 6, 6), np.float32)
    found, model = statistics(stack(("Conv2d", {"out_channels": 4}), "ReLU", "Flatten", linear(3)), x, kill)
    with torch.no_grad():
        relu = model[:2](torch.from_numpy(x)).numpy()
    assert found.layer_names == ("1 Conv2d", "2 ReLU", "3 Flatten", "4 Linear")
    assert found.effects == ("", "dead", "", "")
    assert np.allclose(found.still_share[1], (relu == 0).mean((0, 2, 3)), atol=1e-12)
    assert found.n_always(1) == int((relu.max((0, 2, 3)) == 0).sum()) >= 1
    assert found.still_share[1][1] == 1
    assert found.still_share[0].size == 0
    assert found.n_units.tolist() == [4, 4, 64, 3]
    for column, expected in ((found.zero_share, (relu == 0).mean()), (found.mean, relu.mean()), (found.std, relu.std())):
        assert column[1] == pytest.approx(float(expected), abs=1e-5)
    assert (found.least[1], found.largest[1]) == (relu.min(), relu.max())
    again = load_result(ActivationStatistics, result_bytes(found))
    assert [share.tolist() for share in again.still_share] == [share.tolist() for share in found.still_share]


@pytest.mark.parametrize(
    ("kind", "still"), [("Tanh", lambda y: np.abs(y) > 0.99), ("Sigmoid", lambda y: (y < 0.01) | (y > 0.99))]
)
def test_squeezing_units_are_saturated_where_their_curve_is_flat(kind, still):
    def push(model):
        model[0].weight[0] *= 100
        model[0].bias[1] = 50

    x = RNG.normal(size=(90, 5)).astype(np.float32)
    found, model = statistics(stack(linear(6), kind, linear(2)), x, push)
    with torch.no_grad():
        given = model[:2](torch.from_numpy(x)).numpy()
    assert found.effects[1] == "saturated"
    assert np.allclose(found.still_share[1], still(given).mean(0), atol=1e-12)
    assert found.still_share[1][1] == 1
    assert found.still_share[1][0] > 0.8


def test_layers_inside_containers_and_steps_of_sequences_are_counted_too():
    x = RNG.normal(size=(20, 7, 4)).astype(np.float32)
    spec = stack(
        ("Residual", {"layers": stack(("Conv1d", {"out_channels": 4, "padding": 1}), "ReLU").layers}),
        ("RNN", {"hidden_size": 3}),
    )
    found, _ = statistics(spec, x)
    assert found.layer_names == ("1 Residual", "1.1 Conv1d", "1.2 ReLU", "2 RNN")
    assert found.effects == ("", "", "dead", "saturated")
    assert found.still_share[2].shape == (4,)
    assert found.n_units.tolist() == [4, 4, 4, 3]


def test_the_live_model_keeps_its_mode_and_has_no_hooks():
    spec = stack(linear(4), "ReLU", "Dropout", linear(2))
    model = build(spec, (3,), seed=0).train()
    activation_statistics(model, spec.layers, RNG.random((5, 3), np.float32), 10, lambda done, total: None)
    assert all(one.training for one in model.modules())
    assert not any(one._forward_hooks for one in model.modules())


def test_every_rule_says_what_it_looks_for():
    assert still_rule(ReLU()).effect == "dead"
    assert still_rule(GELU()).test(torch.tensor([0.0005, 0.1])).tolist() == [True, False]
    assert still_rule(ELU(alpha=2.0)).test(torch.tensor([-1.99, -1.9])).tolist() == [True, False]
    assert still_rule(LeakyReLU()) is None
    assert still_rule(LSTM()) is None
    assert still_rule(RNN(nonlinearity="relu")).effect == "dead"


def test_histograms_count_all_values_with_exact_zeros_apart():
    spec = stack(("Conv2d", {"out_channels": 3}), "ReLU", "Flatten", linear(2))
    model, x = build(spec, (1, 6, 6), seed=0), torch.rand(1, 1, 6, 6)
    maps = activation_maps(model, x, 0, ("a", "b"), 9)
    found = activation_histograms(maps)
    for values, counts, edges, n_zero in zip(maps.maps, found.counts, found.edges, found.n_zero, strict=True):
        assert counts.sum() + n_zero == values.size
        assert edges[0] == pytest.approx(min(0, values.min()))
        assert edges[-1] == pytest.approx(max(0, values.max()))
        assert n_zero == (values == 0).sum()
    assert (found.step, found.pixel_counts) == (9, None)
