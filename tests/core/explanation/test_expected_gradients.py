"""Expected gradients against closed forms and Integrated Gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from core.explanation.expected_gradients import ExpectedGradients
from core.explanation.gradient import background_rows


def silent(done: int, total: int) -> None:
    pass


@pytest.mark.parametrize("n_background", [2, 17, 60])
def test_of_a_linear_model_they_are_weight_times_distance_from_the_mean(n_background, row_subject):
    model = nn.Sequential(nn.Linear(6, 3))
    subject = row_subject(model)
    found = ExpectedGradients(n_background=n_background).attribute(subject, silent)
    rows = background_rows(subject, n_background)
    distance = (subject.x - rows.mean(0))[0].numpy()
    assert len(rows) == n_background
    assert np.allclose(found.values, model[0].weight[1].detach().numpy() * distance, atol=1e-5)
    assert found.base == pytest.approx(float(model(rows)[:, 1].mean().detach()), abs=1e-5)
    assert abs(found.residual) < 1e-5


@pytest.mark.parametrize("changes", [{}, {"contrast": 2}, {"in_probability": True}], ids=str)
def test_they_are_the_mean_of_integrated_gradients_from_every_start(changes, image_subject):
    subject = replace(image_subject(channels=3), **changes)
    found = ExpectedGradients(n_background=6, n_points=64).attribute(subject, silent)
    starts = background_rows(subject, 6)
    method = IntegratedGradients(lambda x: subject.answers(subject.module(x)))
    one_by_one = [
        method.attribute(subject.x.clone(), start[None], n_steps=64, method="riemann_middle")[0].sum(0).detach().numpy()
        for start in starts
    ]
    assert np.allclose(found.values, np.mean(one_by_one, 0), atol=1e-6)
    with torch.no_grad():
        assert found.base == pytest.approx(float(subject.answers(subject.module(starts)).mean()), abs=1e-6)


def test_more_points_add_up_better(image_subject):
    subject = image_subject()
    few, many = (ExpectedGradients(n_points=n).attribute(subject, silent) for n in (1, 64))
    assert abs(many.residual) < abs(few.residual)
    assert many.residual == pytest.approx(float(many.values.sum(dtype=float)) + many.base - many.output, abs=1e-6)


def test_a_sum_that_misses_much_says_so(row_subject):
    class Step(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logit = torch.sigmoid(1e4 * (x[:, 0] - 0.3))
            return torch.stack([0 * logit, logit, 0 * logit], 1)

    subject = row_subject(Step(), n_features=2)
    subject.x[0, 0] = 2.0
    found = ExpectedGradients(n_points=2).attribute(subject, silent)
    assert any("take more points" in note for note in found.notes)


def test_a_class_held_against_another_is_the_difference_of_both(row_subject):
    one = row_subject()
    two = replace(one, target=2)
    explainer = ExpectedGradients()
    both = explainer.attribute(replace(one, contrast=2), silent)
    first, second = explainer.attribute(one, silent), explainer.attribute(two, silent)
    assert np.allclose(both.values, first.values - second.values, atol=1e-6)
    assert both.base == pytest.approx(first.base - second.base, abs=1e-6)
