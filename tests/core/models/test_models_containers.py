"""Containers give what their branches give, refuse in words, and cannot be nested without end."""

import json
import sys

import pytest
import torch
from torch import nn

from core.errors import ShapeError, SpecError
from core.models.layers.activation import ReLU
from core.models.layers.containers import MAX_TOTAL, Parallel, Residual, depth, n_layers
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer, Layers
from core.models.layers.recurrent import GRU
from core.models.layers.regularization import LayerNorm
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec, build, infer, stack_error
from core.spec import parse_json

SAME = Conv2d(out_channels=4, kernel_size=3, padding=1)
HALF = Conv2d(out_channels=6, kernel_size=3, padding=1, stride=2)


def built(layer, shape):
    torch.manual_seed(0)
    return layer.build(shape), torch.randn(3, *shape)


def test_a_residual_adds_its_input():
    module, x = built(Residual(layers=(SAME, ReLU())), (4, 5, 5))
    assert torch.equal(module(x), module.inner(x) + x)


@pytest.mark.parametrize(
    ("layers", "shape", "projection"),
    [
        ((HALF,), (4, 8, 7), nn.Conv2d(4, 6, 1, stride=2)),
        ((Linear(out_features=5), ReLU()), (8,), nn.Linear(8, 5)),
        ((GRU(hidden_size=5, returns="sequence"),), (7, 3), nn.Linear(3, 5)),
    ],
)
def test_where_shapes_differ_the_skip_is_a_learned_linear_layer_by_hand(layers, shape, projection):
    layer = Residual(layers=layers)
    module, x = built(layer, shape)
    projection.load_state_dict(module.projection.state_dict())
    assert torch.allclose(module(x), module.inner(x) + projection(x))
    assert module(x).shape[1:] == layer.out_shape(shape)
    n_skip = sum(weights.numel() for weights in projection.parameters())
    assert layer.n_parameters(shape) == n_skip + infer(ModelSpec(layers=layers), shape).n_parameters


@pytest.mark.parametrize("shape", [(6,), (5, 6), (6, 4, 4)])
@pytest.mark.parametrize("merge", ["concat", "add"])
def test_branches_are_joined_along_channels_or_features_or_added(shape, merge):
    layer = Parallel(merge=merge, branches=((), (ReLU(),), (LayerNorm(),)))
    module, x = built(layer, shape)
    parts = [x, x.relu(), nn.functional.layer_norm(x, x.shape[1:] if len(shape) != 2 else x.shape[2:])]
    axis = {1: 1, 2: 2, 3: 1}[len(shape)]
    by_hand = torch.cat(parts, axis) if merge == "concat" else sum(parts)
    assert torch.allclose(module(x), by_hand, atol=1e-6)
    assert layer.out_shape(shape) == by_hand.shape[1:]


@pytest.mark.parametrize(
    ("layer", "shape", "message", "hint"),
    [
        (
            Residual(projection=False, layers=(HALF,)),
            (4, 8, 8),
            "Layer 1 Residual adds its input to what its inner layers give, but they turn 4 × 8 × 8 into 6 × 4 × 4, and its "
            "skip has no projection.",
            "Switch its projection on.",
        ),
        (
            Residual(layers=(Conv2d(out_channels=4, kernel_size=3),)),
            (4, 8, 8),
            "Layer 1 Residual adds its input to what its inner layers give, but they turn 4 × 8 × 8 into 4 × 6 × 6, which its "
            "skip cannot be fitted to.",
            "Give the inner layers a padding that keeps the size of the maps, or one stride of 2 to 16.",
        ),
        (
            Residual(layers=(Flatten(),)),
            (4, 8, 8),
            "Layer 1 Residual adds its input to what its inner layers give, but they turn 4 × 8 × 8 into a flat vector of 256, "
            "which its skip cannot be fitted to.",
            "Take the layer that changes the number of axes out of it.",
        ),
        (
            Residual(layers=(SAME, Linear())),
            (4, 8, 8),
            "Layer 1.2 Linear needs a flat vector but receives 4 × 8 × 8 from layer 1.1 Conv2d.",
            "Put Flatten before it.",
        ),
        (
            Parallel(branches=((SAME,), (HALF,))),
            (4, 8, 8),
            "Layer 1 Parallel joins what its branches give, which needs maps of one size from all, but they give 4 × 8 × 8 and "
            "6 × 4 × 4.",
            "Set padding and stride so that the branches agree, and Flatten in all of them or in none.",
        ),
        (
            Parallel(merge="add", branches=((), (Linear(out_features=3),))),
            (4,),
            "Layer 1 Parallel adds what its branches give, which needs equal shapes, but they give a flat vector of 4 and a "
            "flat vector of 3.",
            "Give the branches equal channels, padding and stride, or set merge to concat.",
        ),
        (
            Parallel(branches=((), (SAME, Residual(layers=(Linear(),))))),
            (4, 8, 8),
            "Layer 1b.2.1 Linear needs a flat vector but receives 4 × 8 × 8 from layer 1b.1 Conv2d.",
            "Put Flatten before it.",
        ),
    ],
)
def test_a_refusal_is_one_sentence_for_a_person(layer, shape, message, hint):
    model = ModelSpec(layers=(layer,))
    error = stack_error(model, infer(model, shape))
    assert isinstance(error, ShapeError)
    assert (error.message, error.hint) == (message, hint)
    with pytest.raises(ShapeError, match="Layer 1"):
        build(model, shape, seed=0)


def test_costs_are_sums_over_all_that_is_inside():
    inner = (SAME, ReLU())
    plain = infer(ModelSpec(layers=inner), (4, 5, 5))
    layer = Parallel(branches=((Residual(layers=inner),), inner, ()))
    assert layer.n_parameters((4, 5, 5)) == 2 * plain.n_parameters
    assert layer.multiply_adds((4, 5, 5)) == 2 * plain.multiply_adds
    assert layer.n_activations((4, 5, 5)) == 2 * plain.n_activations + 100 + 300


def nested(levels: int, innermost: str = "") -> str:
    return '{"kind":"Residual","layers":[' * levels + innermost + "]}" * levels


def test_containers_may_be_nested_three_deep_and_no_deeper():
    assert depth((parse_json(AnyLayer, nested(3)),)) == 3
    with pytest.raises(SpecError, match="nested more than 3 deep") as caught:
        parse_json(ModelSpec, f'{{"layers":[{nested(4)}]}}')
    assert caught.value.hint


@pytest.mark.fault(13)
@pytest.mark.parametrize("levels", [60, 150, 1000, 1900])
@pytest.mark.parametrize("wanted", [ModelSpec, Layers, AnyLayer])
def test_a_stranger_who_nests_without_end_gets_a_sentence(levels, wanted):
    text = {ModelSpec: f'{{"layers":[{nested(levels)}]}}', Layers: f"[{nested(levels)}]"}.get(wanted, nested(levels))
    with pytest.raises(SpecError, match=r"nested more than 3 deep|recursion limit"):
        parse_json(wanted, text)
    assert levels < 1000 or levels * 2 > sys.getrecursionlimit()  # a parser in Python would have failed here


def test_layers_inside_of_others_count_towards_the_limit():
    relu = {"kind": "ReLU"}
    group = {"kind": "Parallel", "branches": [[relu] * 10] * 3}  # 31 layers
    assert n_layers(parse_json(Layers, json.dumps([group, group, relu, relu]))) == MAX_TOTAL
    with pytest.raises(SpecError, match="has 65 layers") as caught:
        parse_json(Layers, json.dumps([group, group, relu, relu, relu]))
    assert caught.value.params == {"n_layers": 65, "max_layers": 64}
    with pytest.raises(SpecError, match="has 65 layers"):
        parse_json(AnyLayer, json.dumps({"kind": "Parallel", "branches": [[relu] * 16] * 4}))


def test_a_branch_has_at_most_sixteen_layers():
    with pytest.raises(SpecError, match="at most 16"):
        parse_json(AnyLayer, json.dumps({"kind": "Parallel", "branches": [[{"kind": "ReLU"}] * 17]}))


def test_the_deepest_nest_is_inferred_in_the_time_of_its_layers(monkeypatch):
    calls = []
    original = Conv2d.out_shape
    monkeypatch.setattr(Conv2d, "out_shape", lambda self, shape: calls.append(1) or original(self, shape))
    layer = Residual(layers=(Residual(layers=(Residual(layers=(Conv2d(out_channels=4, kernel_size=5, padding=2),)),)),))
    infer(ModelSpec(layers=(layer,)), (4, 9, 9))
    assert 0 < len(calls) < 40  # each level asks its inner stack six times: 200 without memory
