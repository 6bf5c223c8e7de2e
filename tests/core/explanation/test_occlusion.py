"""Occlusion against its definition and captum."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import Occlusion as Captum
from torch import nn

from core.data.dataset import DataProfile
from core.errors import SpecError
from core.explanation.evaluations import baseline_input
from core.explanation.occlusion import Occlusion


def silent(done: int, total: int) -> None:
    pass


def by_definition(subject, window, stride, fill):
    """Each window hidden by itself; a pixel gets the mean fall over the windows that cover it."""
    side = subject.x.shape[2]
    starts = sorted({*range(0, side - window + 1, stride), -(-(side - window) // stride) * stride})
    fall, n = np.zeros((side, side)), np.zeros((side, side))
    with torch.no_grad():
        whole = float(subject.answers(subject.module(subject.x)))
        for row in starts:
            for column in starts:
                here = (slice(row, row + window), slice(column, column + window))
                x = subject.x.clone()
                x[(0, slice(None), *here)] = fill[(0, slice(None), *here)]
                fall[here] += whole - float(subject.answers(subject.module(x)))
                n[here] += 1
    return fall / n


@pytest.mark.parametrize(("window", "stride"), [(5, 2), (4, 4), (7, 3), (28, 1)])
@pytest.mark.parametrize("baseline", ["mean", "blur", "black", "noise"])
def test_a_pixel_gets_the_mean_fall_over_the_windows_that_cover_it(window, stride, baseline, image_subject):
    subject = image_subject(channels=3)
    found = Occlusion(window=window, stride=stride, baseline=baseline).attribute(subject, silent)
    fill = baseline_input(subject, baseline)
    assert np.allclose(found.values, by_definition(subject, window, stride, fill), atol=1e-5)
    assert (found.seed is None) == (baseline != "noise")


@pytest.mark.parametrize("changes", [{}, {"contrast": 0}, {"in_probability": True}], ids=str)
@pytest.mark.parametrize(("side", "window", "stride"), [(8, 2, 1), (28, 5, 2), (32, 5, 2)])
def test_the_window_that_nobody_chose_is_a_sixth_of_the_image_and_values_are_captums(
    side, window, stride, changes, image_subject
):
    subject = replace(image_subject(side=side), **changes)
    reports = []
    found = Occlusion().attribute(subject, lambda done, total: reports.append((done, total)))
    assert found.notes == (f"A window of {window} × {window} pixels, moved by {stride}.",)
    assert {total for _, total in reports} == {found.n_evaluations}  # what was planned is what was done
    expected = Captum(lambda x: subject.answers(subject.module(x))).attribute(
        subject.x, (1, window, window), (1, stride, stride), baseline_input(subject, "mean")
    )
    assert np.allclose(found.values, expected[0, 0].detach().numpy(), atol=1e-6)


def test_windows_that_do_not_overlap_add_up_on_a_linear_model(image_subject):
    subject = image_subject(nn.Sequential(nn.Flatten(), nn.Linear(784, 3)))
    found = Occlusion(window=4, stride=4).attribute(subject, silent)
    with torch.no_grad():
        change = (subject.module(subject.x) - subject.module(baseline_input(subject, "mean")))[0, 1]
    assert found.values.sum() / 16 == pytest.approx(float(change), abs=1e-4)


def test_a_stride_that_leaves_pixels_out_is_refused():
    with pytest.raises(SpecError, match="leaves pixels out"):
        Occlusion(window=3).but(stride=4)


def test_without_an_image_it_says_what_to_take():
    assert "Take SHAP" in Occlusion().reason_against(DataProfile("tabular", (4,), ("a", "b"), 9, 9, 9), ("Linear",))
