"""Integrated Gradients against closed forms and captum."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as Captum
from torch import nn

from core.explanation.evaluations import baseline_input
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


@pytest.mark.parametrize("baseline", ["mean", "blur", "black", "noise"])
@pytest.mark.parametrize("changes", [{}, {"contrast": 2}, {"in_probability": True}], ids=["logit", "difference", "probability"])
def test_integrated_gradients_are_captums_from_any_baseline(baseline, changes, image_subject):
    subject = replace(image_subject(channels=3), **changes)
    found = IntegratedGradients(baseline=baseline).attribute(subject, silent)

    def answer(x):
        outputs = subject.module(x)
        outputs = outputs.softmax(1) if subject.in_probability else outputs
        return outputs[:, 1] - (outputs[:, 2] if subject.contrast == 2 else 0)

    blank, steps = baseline_input(subject, baseline), int(found.notes[0].split()[0])
    expected = Captum(answer).attribute(subject.x.clone(), blank, n_steps=steps)[0].sum(0).detach().numpy()
    assert np.abs(expected).max() > 0
    assert np.allclose(found.values, expected, atol=1e-6)
    with torch.no_grad():
        assert found.base == pytest.approx(float(answer(blank)), abs=1e-6)
        assert found.output == pytest.approx(float(answer(subject.x)), abs=1e-6)


def test_a_noisy_baseline_has_a_seed_and_a_blurred_one_is_this_image_without_its_shapes(image_subject):
    make = lambda seed: replace(image_subject(), module=module, seed=seed)  # noqa: E731
    module = image_subject().module
    first, again, other = (IntegratedGradients(baseline="noise").attribute(make(seed), silent) for seed in (1, 1, 2))
    assert (first.seed, other.seed) == (1, 2)
    assert np.array_equal(first.values, again.values)
    assert not np.allclose(first.values, other.values)
    subject = make(1)
    blurred = baseline_input(subject, "blur")
    assert float(blurred.mean()) == pytest.approx(float(subject.x.mean()), rel=0.3)
    assert float(blurred.std()) < 0.4 * float(subject.x.std())
    assert IntegratedGradients(baseline="blur").attribute(subject, silent).seed is None
