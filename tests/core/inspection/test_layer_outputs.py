"""What a layer gives for many examples is what a hook of torch's own sees."""

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.layer_outputs import BATCH, layer_outputs


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 4)
    )


@pytest.mark.parametrize("layer", range(6))
def test_outputs_equal_those_of_a_plain_hook_in_evaluation_mode(net, layer):
    x = np.random.default_rng(0).normal(size=(BATCH + 7, 1, 6, 6)).astype(np.float32)
    told = []
    features, outputs = layer_outputs(net, x, layer, told.append)
    seen = []
    net.eval()
    handle = net[layer].register_forward_hook(lambda module, given, output: seen.append(output.detach().clone()))
    with torch.no_grad():
        expected = net(torch.from_numpy(x))
    handle.remove()
    np.testing.assert_allclose(features, seen[0].flatten(1).numpy(), atol=1e-6)
    np.testing.assert_allclose(outputs, expected.numpy(), atol=1e-6)
    assert told == [BATCH, BATCH + 7]


def test_the_model_keeps_its_mode_its_hooks_and_its_statistics(net):
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    layer_outputs(net, np.ones((4, 1, 6, 6), np.float32), 1, lambda done: None)
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
