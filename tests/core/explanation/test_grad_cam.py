"""Grad-CAM against the paper's formula and captum, from any layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from core.errors import NotApplicable, SpecError
from core.explanation.grad_cam import GradCam, cam_layers, numbered_module
from core.models.model import ModelSpec, build
from tests.core.samples import linear, stack


def silent(done: int, total: int) -> None:
    pass


def test_grad_cam_is_the_papers_formula_on_a_small_net(image_subject):
    model = nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(5 * 49, 3))
    subject = image_subject(model)
    found = GradCam().attribute(subject, silent)
    maps = subject.module[0](subject.x).detach().requires_grad_()
    subject.module[1:](maps)[0, 1].backward()
    weights = maps.grad.mean((2, 3), keepdim=True)
    expected = functional.relu((weights * maps).sum(1))[0].detach().numpy()
    assert expected.max() > 0
    assert np.allclose(found.values, expected, atol=1e-6)
    assert not found.signed
    assert found.base is None
    assert found.residual is None


def test_grad_cam_enlarges_smaller_maps_bilinearly(image_subject):
    model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 196, 3))
    subject = image_subject(model)
    maps = subject.module[0](subject.x).detach().requires_grad_()
    subject.module[1:](maps)[0, 1].backward()
    small = functional.relu((maps.grad.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True)).detach()
    expected = functional.interpolate(small, (28, 28), mode="bilinear")[0, 0].numpy()
    assert expected.max() > 0
    assert np.allclose(GradCam().attribute(subject, silent).values, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("strides", "layer"), [((1, 2, 2), "4"), ((1, 2, 4), "2"), ((4, 2, 1), "0"), ((7, 1, 1), "4")], ids=str
)
def test_grad_cam_reads_the_last_convolution_with_maps_of_at_least_7(strides, layer, image_subject):
    layers = [
        nn.Conv2d(1, 2, 1, strides[0]),
        nn.ReLU(),
        nn.Conv2d(2, 2, 1, strides[1]),
        nn.ReLU(),
        nn.Conv2d(2, 2, 1, strides[2]),
    ]
    model = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))
    model(torch.zeros(1, 1, 28, 28))
    subject = image_subject(model)
    assert GradCam().attribute(subject, silent).notes[0].startswith(f"Read from layer {int(layer) + 1} Conv2d")


@pytest.mark.parametrize("stride", [14, None], ids=["maps too small", "no convolution"])
def test_grad_cam_that_cannot_say_where_says_so(stride, image_subject):
    first = nn.Identity() if stride is None else nn.Conv2d(1, 1, 1, stride)
    model = nn.Sequential(first, nn.Flatten(), nn.Linear(784 if stride is None else 4, 3))
    with pytest.raises(NotApplicable, match="4 × 4"):
        GradCam().attribute(image_subject(model), silent)


def nested() -> ModelSpec:
    conv = ("Conv2d", {"out_channels": 4, "padding": 1})
    inner = stack(conv, "ReLU", conv).layers
    branches = (stack(conv, "Tanh").layers, stack(("MaxPool2d", {"kernel_size": 1}), conv).layers)
    return stack(conv, ("Residual", {"layers": inner}), ("Parallel", {"branches": branches}), "Flatten", linear(3))


def test_the_layers_that_can_be_read_are_those_with_maps_and_are_found_again_in_the_model():
    spec = nested()
    module = build(spec, (1, 12, 12), 0).eval()
    layers = cam_layers(spec, (1, 12, 12))
    assert [layer.number for layer in layers] == ["1", "2", "2.1", "2.2", "2.3", "3", "3a.1", "3a.2", "3b.1", "3b.2"]
    assert {(layer.height, layer.width) for layer in layers} == {(12, 12)}
    for layer in layers:
        assert type(numbered_module(module, layer.number)).__name__ == layer.kind
    assert numbered_module(module, "2.3") is module[1].inner[2]
    assert numbered_module(module, "3b.2") is module[2].branches[1][1]


@pytest.mark.parametrize("number", ["1", "2", "2.1", "2.2", "2.3", "3", "3a.1", "3a.2", "3b.1", "3b.2"])
@pytest.mark.parametrize("changes", [{}, {"contrast": 2, "in_probability": True}], ids=["logit", "difference"])
def test_grad_cam_of_a_chosen_layer_is_captums(number, changes, image_subject):
    subject = replace(image_subject(build(nested(), (1, 12, 12), 0), side=12), **changes)
    found = GradCam(layer=number).attribute(subject, silent)
    x = subject.x.clone().requires_grad_()
    cam = LayerGradCam(lambda x: subject.answers(subject.module(x)), numbered_module(subject.module, number))
    expected = LayerAttribution.interpolate(cam.attribute(x, relu_attributions=True), (12, 12), "bilinear")
    assert np.allclose(found.values, expected[0, 0].detach().numpy(), atol=1e-7)
    assert found.notes[0].startswith(f"Read from layer {number} ")
    assert (found.unit, found.output_unit) == ("relative", "probability" if changes else "logit")


def test_a_layer_without_places_or_that_is_not_there_is_refused(image_subject):
    subject = image_subject(build(nested(), (1, 12, 12), 0), side=12)
    with pytest.raises(NotApplicable, match="Layer 5 has no maps"):
        GradCam(layer="5").attribute(subject, silent)
    with pytest.raises(SpecError, match="no layer 6"):
        GradCam(layer="6").attribute(subject, silent)
    with pytest.raises(SpecError, match=r"no layer 2\.9"):
        GradCam(layer="2.9").attribute(subject, silent)
    with pytest.raises(SpecError):
        GradCam().but(layer="conv1")


def test_maps_below_4_by_4_are_not_offered():
    model = stack(("Conv2d", {"out_channels": 2}), ("MaxPool2d", {"kernel_size": 4}), "Flatten", linear(3))
    assert [layer.number for layer in cam_layers(model, (1, 14, 14))] == ["1"]


def test_no_gradient_leaves_the_model_frozen(image_subject):
    subject = image_subject()
    GradCam().attribute(subject, silent)
    assert not any(isinstance(value, torch.Tensor) and value.requires_grad for value in subject.module.parameters())
