"""Activation maps equal what the layers give one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ShapeError
from core.inspection.activations import activation_maps
from core.inspection.hooks import captured_outputs
from core.results.activations import ActivationMaps
from core.results.codec import load_result, result_bytes

NAMES = ("zero", "one", "two")


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(4 * 9, 3),
    )


def maps_of(model: nn.Sequential, x: torch.Tensor) -> ActivationMaps:
    return activation_maps(model, x, 2, NAMES, 17)


def test_every_map_is_the_output_of_its_layer_also_before_an_in_place_one():
    model, x = net().eval(), torch.rand(1, 1, 8, 8)
    found = maps_of(model, x)
    value = x
    with torch.no_grad():
        for layer, seen in zip(model, found.maps, strict=True):
            value = layer(value.clone())
            assert np.allclose(seen, value[0].numpy(), atol=1e-6)
    assert found.maps[1].min() < 0
    assert np.array_equal(found.logits, found.maps[-1])
    assert np.allclose(found.probabilities, value.softmax(1)[0].numpy(), atol=1e-6)
    assert np.array_equal(found.input, x[0].numpy())


def test_names_zeros_and_labels_are_told():
    found = maps_of(net(), torch.rand(1, 1, 8, 8))
    assert found.layer_names[:3] == ("1 Conv2d", "2 BatchNorm2d", "3 ReLU")
    assert found.zero_share[2] == pytest.approx((found.maps[1] <= 0).mean())
    assert 0 < found.zero_share[2] < 1
    assert (found.label, found.class_names, found.step) == (2, NAMES, 17)
    assert load_result(ActivationMaps, result_bytes(found)).layer_names == found.layer_names


def test_the_live_model_keeps_its_mode_hooks_and_statistics():
    model = net().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    maps_of(model, torch.rand(1, 1, 8, 8))
    assert all(layer.training for layer in model.modules())
    assert not any(layer._forward_hooks for layer in model.modules())
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def test_two_calls_agree_in_spite_of_dropout():
    model, x = net().train(), torch.rand(1, 1, 8, 8)
    assert np.array_equal(maps_of(model, x).logits, maps_of(model, x).logits)


def test_a_layer_that_stands_twice_has_two_maps():
    relu = nn.ReLU()
    found = maps_of(nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 3), relu), torch.randn(1, 4))
    assert [len(values) for values in found.maps] == [4, 4, 3, 3]


def test_more_than_one_example_is_refused():
    with pytest.raises(ShapeError, match="2 came"):
        maps_of(net(), torch.rand(2, 1, 8, 8))


def test_hooks_are_gone_after_a_failure():
    model = net()
    with pytest.raises(RuntimeError), captured_outputs(model):
        model(torch.rand(1, 5, 8, 8))
    assert not any(layer._forward_hooks for layer in model.modules())
