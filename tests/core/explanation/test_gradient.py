"""Grad-CAM and Integrated Gradients against closed forms and the papers' formulas."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from core.errors import NotApplicable
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients


def silent(done: int, total: int) -> None:
    pass


def test_integrated_gradients_of_a_linear_model_are_weight_times_distance(row_subject):
    model = nn.Sequential(nn.Linear(6, 3))
    subject = row_subject(model)
    found = IntegratedGradients().attribute(subject, silent)
    distance = (subject.x - subject.background.mean(0))[0].numpy()
    assert np.allclose(found.values, model[0].weight[1].detach().numpy() * distance, atol=1e-5)
    assert abs(found.residual) < 1e-5


def test_integrated_gradients_from_black_start_at_the_bias(row_subject):
    model = nn.Sequential(nn.Linear(6, 3))
    subject = row_subject(model)
    found = IntegratedGradients(baseline="black").attribute(subject, silent)
    assert np.allclose(found.values, (model[0].weight[1] * subject.x[0]).detach().numpy(), atol=1e-5)
    assert found.base == pytest.approx(float(model[0].bias[1].detach()), abs=1e-6)


def test_integrated_gradients_sum_over_channels_and_meet_the_change_of_the_output(image_subject):
    subject = image_subject(channels=3)
    found = IntegratedGradients().attribute(subject, silent)
    mean_colour = subject.background.mean((0, 2, 3), keepdim=True).expand_as(subject.x)
    with torch.no_grad():
        base, output = subject.module(torch.cat([mean_colour, subject.x]))[:, 1].tolist()
    assert found.base == pytest.approx(base, abs=1e-5)
    assert found.residual == pytest.approx(float(found.values.sum(dtype=float)) + base - output, abs=1e-4)
    assert abs(found.residual) <= 0.01 * max(abs(output - base), 0.1)


class Stairs(nn.Module):
    """A sum of steep steps, which few integration points cannot catch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = torch.sigmoid(400 * (x - 0.37)).sum(1, keepdim=True)
        return torch.cat([-total, total, 0 * total], 1)


def test_integrated_gradients_double_the_steps_and_own_up_when_that_was_not_enough(row_subject):
    subject = row_subject(Stairs(), n_features=2)
    subject.x[0] = torch.tensor([3.0, 2.0])
    few = IntegratedGradients(steps=8, baseline="black").attribute(subject, silent)
    assert few.n_evaluations == 2 + 8 + 16 + 32 + 64 + 128 + 256
    is_noted = any("Not converged" in note for note in few.notes)
    assert is_noted == (abs(few.residual) > 0.01 * abs(few.output - few.base))
    steep = IntegratedGradients(steps=256, baseline="black").attribute(row_steep(subject), silent)
    assert any("Not converged" in note for note in steep.notes)


def row_steep(subject):
    class Step(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            total = torch.sigmoid(1e5 * (x - 0.37)).sum(1, keepdim=True)
            return torch.cat([-total, total, 0 * total], 1)

    return type(subject)(**{name: getattr(subject, name) for name in subject.__slots__} | {"module": Step()})


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
