"""The live model is not touched by what explains it."""

import torch
from torch import nn

from core.explanation.prepared import prepared_model


def live_model() -> nn.Sequential:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(108, 2))
    model(torch.rand(4, 1, 8, 8)).sum().backward()
    return model.train()


def test_the_live_model_keeps_mode_gradients_weights_and_in_place_layers():
    live = live_model()
    before = {name: value.clone() for name, value in live.state_dict().items()}
    prepared = prepared_model(live)
    prepared(torch.rand(4, 1, 8, 8))
    assert list(live.state_dict()) == list(before)
    assert all(torch.equal(live.state_dict()[name], value) for name, value in before.items())
    assert live.training
    assert live[2].inplace
    assert all(parameter.requires_grad and parameter.grad is not None for parameter in live.parameters())


def test_the_copy_is_frozen_in_evaluation_mode_and_not_in_place():
    prepared = prepared_model(live_model())
    assert not any(layer.training for layer in prepared.modules())
    assert not any(getattr(layer, "inplace", False) for layer in prepared.modules())
    assert not any(parameter.requires_grad for parameter in prepared.parameters())


def test_the_copy_does_not_report_to_hooks_on_the_live_model():
    live, heard = live_model(), []
    live[0].register_forward_hook(lambda layer, inputs, output: heard.append(output))
    prepared_model(live)(torch.rand(1, 1, 8, 8))
    assert heard == []
    live(torch.rand(2, 1, 8, 8))
    assert len(heard) == 1


def test_the_copy_answers_like_the_live_model_in_evaluation_mode():
    live, x = live_model(), torch.rand(3, 1, 8, 8)
    prepared = prepared_model(live)
    assert torch.allclose(prepared(x), live.eval()(x), atol=1e-6)
