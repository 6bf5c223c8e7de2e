"""Saliency, SmoothGrad and input × gradient against captum and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient as CaptumInputXGradient
from captum.attr import Saliency as CaptumSaliency
from torch import nn

from core.explanation.gradient import InputXGradient, Saliency, SmoothGrad
from core.explanation.randomness import torch_generator

ASKED = [{}, {"contrast": 2}, {"in_probability": True}, {"contrast": 0, "in_probability": True}]


def silent(done: int, total: int) -> None:
    pass


def answer_of(subject):
    def answer(x):
        outputs = subject.module(x)
        outputs = outputs.softmax(1) if subject.in_probability else outputs
        return outputs[:, 1] - (0 if subject.contrast is None else outputs[:, subject.contrast])

    return answer


@pytest.mark.parametrize("changes", ASKED, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_saliency_is_captums_with_the_strongest_channel(channels, changes, image_subject):
    subject = replace(image_subject(channels=channels), **changes)
    gradient = CaptumSaliency(answer_of(subject)).attribute(subject.x.clone().requires_grad_(), abs=False)[0].numpy()
    found = Saliency().attribute(subject, silent)
    assert np.allclose(found.values, np.abs(gradient).max(0), atol=1e-7)
    assert not found.signed
    signed = Saliency(signed=True).attribute(subject, silent)
    assert np.allclose(signed.values, gradient.sum(0), atol=1e-7)
    assert signed.signed
    assert found.unit == f"{found.output_unit} per unit of input"
    assert found.output_unit == ("probability" if subject.in_probability else "logit")


@pytest.mark.parametrize("changes", ASKED, ids=str)
def test_input_x_gradient_is_captums(changes, image_subject):
    subject = replace(image_subject(channels=3), **changes)
    expected = CaptumInputXGradient(answer_of(subject)).attribute(subject.x.clone().requires_grad_())[0].sum(0).detach().numpy()
    assert np.allclose(InputXGradient().attribute(subject, silent).values, expected, atol=1e-6)


def test_gradients_of_a_linear_model_are_its_weights(row_subject):
    model = nn.Sequential(nn.Linear(6, 3))
    subject, weights = row_subject(model), model[0].weight[1].detach().numpy()
    assert np.allclose(Saliency(signed=True).attribute(subject, silent).values, weights, atol=1e-6)
    assert np.allclose(Saliency().attribute(subject, silent).values, np.abs(weights), atol=1e-6)
    assert np.allclose(SmoothGrad(signed=True).attribute(subject, silent).values, weights, atol=1e-6)
    times = InputXGradient().attribute(subject, silent).values
    assert np.allclose(times, weights * subject.x[0].numpy(), atol=1e-6)


def test_smooth_grad_is_the_mean_gradient_over_its_noisy_copies(image_subject):
    subject = image_subject(channels=3)
    found = SmoothGrad(n_samples=30, noise=0.2, signed=True).attribute(subject, silent)
    noise = torch.randn((30, 3, 28, 28), generator=torch_generator(subject.seed))
    copies = subject.x + 0.2 * (subject.x.max() - subject.x.min()) * noise
    expected = np.mean(
        [CaptumSaliency(answer_of(subject)).attribute(copy[None].requires_grad_(), abs=False)[0].numpy() for copy in copies], 0
    )
    assert np.allclose(found.values, expected.sum(0), atol=1e-6)
    size = SmoothGrad(n_samples=30, noise=0.2).attribute(subject, silent)
    assert np.allclose(size.values, np.abs(expected).max(0), atol=1e-6)


class Wavy(nn.Module):
    """Logit 1 is x0 + sin(50 x1) / 5: its slope in x1 is up to 10, and 0 on average."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logit = x[:, 0] + torch.sin(50 * x[:, 1]) / 5
        return torch.stack([0 * logit, logit, 0 * logit], 1)


def test_smooth_grad_forgets_ripples(row_subject):
    subject = replace(row_subject(Wavy(), n_features=2), x=torch.zeros(1, 2))
    assert Saliency().attribute(subject, silent).values == pytest.approx([1, 10], abs=1e-4)
    smooth = SmoothGrad(n_samples=500, noise=0.3).attribute(subject, silent).values
    assert smooth[0] == pytest.approx(1, abs=1e-4)
    assert smooth[1] < 1


def test_features_are_shaken_by_their_own_spread(row_subject):
    class Squares(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logit = (x**2).sum(1)
            return torch.stack([0 * logit, logit, 0 * logit], 1)

    subject = row_subject(Squares(), n_features=2)
    subject.background[:, 1] = 0.25  # never changes, so it is not shaken
    subject.x[0] = torch.tensor([0.0, 0.25])
    found = SmoothGrad(n_samples=5, signed=True).attribute(subject, silent).values
    assert found[1] == pytest.approx(0.5, abs=1e-6)
    assert found[0] != 0


@pytest.mark.parametrize("explainer", [Saliency(signed=True), InputXGradient()], ids=lambda e: e.kind)
def test_a_class_held_against_another_is_the_difference_of_both(explainer, image_subject):
    one = image_subject(channels=3)
    two = replace(one, target=2)
    both = explainer.attribute(replace(one, contrast=2), silent).values
    assert np.allclose(both, explainer.attribute(one, silent).values - explainer.attribute(two, silent).values, atol=1e-6)
