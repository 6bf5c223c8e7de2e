"""int8 layers: rounded to half a step, summed as integers by hand; half precision holds what 16 bits hold."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.compression import int8_layers
from core.compression.half import HalfPrecision
from core.compression.int8_layers import Int8Conv2d, Int8Linear, has_kernels, input_scale, weight_scales
from core.compression.quantised import SLOW, DynamicInt8, StaticInt8
from tests.core.compression.materials import CNN, MLP, answers, material
from tests.core.samples import linear, stack

CONVOLUTIONS = [{}, {"padding": 2, "stride": 2}, {"groups": 2, "bias": False}, {"dilation": 2, "padding": 1}]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def by_hand(layer, x: torch.Tensor, span: tuple[float, float]) -> np.ndarray:
    """Integers of a Linear layer, summed by numpy."""
    scale, zero = input_scale(*span)
    steps = weight_scales(layer.weight).numpy().astype(np.float64)
    weights = np.round(layer.weight.detach().numpy() / steps[:, None].astype(np.float32)).astype(np.int64)
    inputs = np.clip(np.round(x.numpy() * np.float32(1 / scale) + np.float32(zero)), 0, 127).astype(np.int64) - zero
    return (inputs @ weights.T) * (scale * steps) + layer.bias.detach().numpy()


@pytest.mark.parametrize("low", [-2.0, 0.0])
def test_int8_outputs_are_those_of_integer_arithmetic(low):
    layer, x = nn.Linear(300, 20), torch.rand(9, 300) * 3 + low
    span = (float(x.min()), float(x.max()))
    for made in (Int8Linear(layer, span), Int8Linear(layer, None)):
        np.testing.assert_allclose(made(x).numpy(), by_hand(layer, x, span), rtol=1e-5, atol=1e-5)


def test_the_largest_sums_do_not_overflow():
    layer = nn.Linear(4096, 3, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    outputs = Int8Linear(layer, (0.0, 1.0))(torch.ones(2, 4096))
    torch.testing.assert_close(outputs, torch.full((2, 3), 4096.0))


@pytest.mark.skipif(not has_kernels(), reason="this machine sums int8 products in float64 anyway")
@pytest.mark.parametrize("settings", CONVOLUTIONS, ids=str)
def test_the_fast_kernel_gives_what_the_slow_sums_give(settings):
    layer, x = nn.Conv2d(4, 6, 3, **settings), torch.randn(3, 4, 9, 9)
    made = Int8Conv2d(layer, (float(x.min()), float(x.max())))
    fast = made(x)
    made._packed = None
    torch.testing.assert_close(fast, made(x), atol=1e-5, rtol=1e-5)


def test_weights_are_rounded_to_at_most_half_a_step():
    layer = nn.Conv2d(3, 5, 3)
    with torch.no_grad():
        layer.weight[2] = 0
    made = Int8Conv2d(layer, (0.0, 1.0))
    steps = made.weight_scale[:, None, None, None]
    assert made.weight.dtype == torch.int8
    assert bool(((made.dequantised() - layer.weight).abs() <= steps / 2 * (1 + 1e-5)).all())
    assert not made.dequantised()[2].any()


def test_constant_inputs_have_a_scale():
    assert input_scale(0.0, 0.0) == (1.0, 0)
    scale, zero = input_scale(-3.0, -1.0)
    assert (scale * (0 - zero), zero) == (pytest.approx(-3.0), 127)


@pytest.mark.parametrize("way", [DynamicInt8(), StaticInt8()], ids=lambda way: way.kind)
@pytest.mark.parametrize(("model", "shape"), [(MLP, (5,)), (CNN, (2, 8, 8))], ids=["mlp", "cnn"])
def test_a_quantised_stack_answers_nearly_as_before_and_is_shown_with_its_own_weights(way, model, shape):
    given = material(model, shape)
    original = copy.deepcopy(given.module)
    made = way.compressed(given)
    treated = way.plan(model, shape).treated
    for index, (before, after) in enumerate(zip(original, made.module, strict=True)):
        assert ((index,) in treated) == isinstance(after, int8_layers.Int8Layer)
        if (index,) in treated:
            assert torch.equal(made.shown[index].weight, after.dequantised())
            assert made.stored[f"{index}.weight"].dtype == torch.int8
        assert not after._forward_pre_hooks
        assert type(before) is type(made.shown[index])
    assert (answers(made.module, given) - answers(original, given)).abs().max() < 0.1
    assert (answers(made.module, given) - answers(made.shown, given)).abs().max() < 0.1


def test_static_ranges_come_from_the_training_examples():
    given = material(MLP, (5,))
    made = StaticInt8(examples=10).compressed(given)
    x = given.splits.train.x[:10]
    scale, zero = input_scale(float(x.min()), float(x.max()))
    assert float(made.stored["0.input_scale"]) == scale
    assert int(made.stored["0.input_zero"]) == zero


def test_layers_inside_a_skip_connection_are_quantised_too():
    model = stack(linear(8), ("Residual", {"layers": stack(linear(6), "ReLU", linear(8)).layers}), linear(3))
    made = StaticInt8().compressed(material(model, (5,)))
    assert made.stored["1.inner.0.weight"].dtype == torch.int8


def test_without_kernels_the_numbers_are_the_same_and_it_is_said(monkeypatch):
    given = material(MLP, (5,))
    fast = answers(DynamicInt8().compressed(material(MLP, (5,))).module, given)
    monkeypatch.setattr(int8_layers, "has_kernels", lambda: False)
    made = DynamicInt8().compressed(material(MLP, (5,)))
    torch.testing.assert_close(answers(made.module, given), fast, atol=1e-5, rtol=1e-5)
    assert made.notes == (SLOW,)


def test_what_has_no_layer_to_quantise_is_said():
    profile = material(MLP, (5,)).splits.profile
    assert "no Linear and no Conv2d" in StaticInt8().reason_against(profile, stack("Flatten"))
    assert DynamicInt8().reason_against(profile, MLP) is None


def test_quantisation_to_float32_changes_no_bit():
    given = material(CNN, (2, 8, 8))
    before, said = copy.deepcopy(given.module.state_dict()), answers(given.module, given)
    made = HalfPrecision(format="float32").compressed(given)
    assert torch.equal(answers(made.module, given), said)
    for tensors in (made.stored, made.shown.state_dict()):
        assert list(tensors) == list(before)
        assert all(torch.equal(tensors[name], value) for name, value in before.items())


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_is_what_torch_rounds_to(name):
    given = material(CNN, (2, 8, 8))
    original = copy.deepcopy(given.module)
    made = HalfPrecision(format=name).compressed(given)
    dtype = getattr(torch, name)
    for key, value in original.state_dict().items():
        if value.is_floating_point():
            assert made.stored[key].dtype == dtype
            assert torch.equal(made.shown.state_dict()[key], value.to(dtype).float())
    outputs = answers(made.module, given)
    assert outputs.dtype == torch.float32
    assert (outputs - answers(original, given)).abs().max() < 0.1


def test_token_numbers_stay_whole_in_half_precision():
    model = stack(("Embedding", {"num_embeddings": 300, "embedding_dim": 4}), ("GRU", {"returns": "last"}), linear(3))
    made = HalfPrecision().compressed(material(model, (6,)))
    tokens = torch.full((2, 6), 299)
    with torch.inference_mode():
        assert functional.mse_loss(made.module(tokens), made.shown(tokens)) < 1e-3
