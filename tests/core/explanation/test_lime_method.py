"""LIME: each superpixel is really hidden, and a linear model is found again."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from core.explanation.evaluations import baseline_input
from core.explanation.lime_method import LimeImage, LimeTabular
from core.explanation.segments import grid


def silent(done: int, total: int) -> None:
    pass


class Recorder(nn.Module):
    """Keeps what it is asked."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(channels * 784, 3)
        self.asked: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked.append(x.clone())
        logits: torch.Tensor = self.head(x.flatten(1))
        return logits


@pytest.mark.parametrize("channels", [1, 3])
def test_every_superpixel_is_hidden_by_the_mean_colour_about_half_of_the_time(channels, image_subject):
    subject = image_subject(Recorder(channels), channels=channels)
    found = LimeImage(n_samples=200).attribute(subject, silent)
    asked = torch.cat(subject.module.asked)[:200]
    fill = subject.background.mean((0, 2, 3))
    assert torch.allclose(asked[0], subject.x[0])
    for segment in range(len(found.players)):
        inside = torch.from_numpy(found.segments == segment)
        is_hidden = (asked[:, :, inside] == fill[None, :, None]).all(-1).all(-1)
        is_shown = (asked[:, :, inside] == subject.x[:, :, inside]).all(-1).all(-1)
        assert torch.all(is_hidden ^ is_shown)
        assert 0.3 < is_hidden.float().mean() < 0.7


def test_the_weights_of_a_linear_model_are_the_sums_of_its_pixels(image_subject):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    subject = image_subject(model)
    with torch.no_grad():
        model[1].weight.mul_(30)  # so that the ridge penalty of lime does not matter
    subject = image_subject(model)
    found = LimeImage(n_samples=2000).attribute(subject, silent)
    fill = float(subject.background.mean())
    per_pixel = (model[1].weight[1].detach().reshape(28, 28) * (subject.x[0, 0] - fill)).numpy()
    expected = np.bincount(found.segments.ravel(), per_pixel.ravel())
    assert np.corrcoef(found.players, expected)[0, 1] > 0.999
    assert np.abs(found.players - expected).max() < 0.05 * np.abs(expected).max()
    assert found.fit_r2 > 0.99
    assert found.base + found.players.sum() == pytest.approx(found.output, rel=0.05)


@pytest.mark.parametrize("baseline", ["mean", "blur", "black", "noise"])
def test_hidden_patches_show_the_chosen_fill(baseline, image_subject):
    subject = image_subject(Recorder(1))
    found = LimeImage(n_samples=100, baseline=baseline, cut="grid").attribute(subject, silent)
    assert np.array_equal(found.segments, grid((28, 28), 49))
    asked = torch.cat(subject.module.asked)[:100]
    fill = baseline_input(subject, baseline)
    for segment in (0, len(found.players) - 1):
        inside = torch.from_numpy(found.segments == segment)
        is_hidden = torch.isclose(asked[:, :, inside], fill[:, :, inside]).all(-1).all(-1)
        is_shown = torch.isclose(asked[:, :, inside], subject.x[:, :, inside]).all(-1).all(-1)
        assert torch.all(is_hidden | is_shown)
        assert 20 < is_hidden.sum() < 80


def test_the_wanted_class_is_explained(image_subject):
    module = image_subject().module
    zero = LimeImage(n_samples=200).attribute(image_subject(module, target=0), silent)
    two = LimeImage(n_samples=200).attribute(image_subject(module, target=2), silent)
    assert zero.target_name == "zero"
    assert not np.allclose(zero.values, two.values)


def test_nothing_is_written_to_standard_error(image_subject, capsys):
    LimeImage(n_samples=100).attribute(image_subject(), silent)
    assert sys.stderr is not None
    assert capsys.readouterr() == ("", "")


class Steps(nn.Module):
    """Logit 1 is 5 while feature 0 is in its upper half and -2 while feature 2 is; the other features do nothing."""

    def __init__(self, middle: torch.Tensor) -> None:
        super().__init__()
        self.middle = middle

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        above = (x > self.middle).float()
        logit = 5 * above[:, 0] - 2 * above[:, 2]
        return torch.stack([0 * logit, logit, 0 * logit], 1)


def test_lime_for_tables_finds_which_features_matter_and_their_signs(row_subject):
    subject = row_subject(n_features=5)
    middle = subject.background.median(0).values
    subject.x[0] = middle + 2
    subject = row_subject(Steps(middle), n_features=5)
    subject.x[0] = middle + 2
    found = LimeTabular(n_samples=5000).attribute(subject, silent)
    # Outside its own quarter feature 0 is above the middle in one case of three: 5 - 5 / 3, and -2 + 2 / 3.
    assert found.values[0] == pytest.approx(10 / 3, abs=0.2)
    assert found.values[2] == pytest.approx(-4 / 3, abs=0.2)
    assert np.abs(found.values[[1, 3, 4]]).max() < 0.2


def test_lime_for_tables_takes_a_feature_that_never_changes(row_subject):
    subject = row_subject(n_features=4)
    subject.background[:, 1] = 2.0
    subject.x[0, 1] = 2.0
    found = LimeTabular(n_samples=500).attribute(subject, silent)
    assert np.isfinite(found.values).all()
    assert found.values[1] == pytest.approx(0, abs=1e-6)


def test_a_poor_fit_is_told(row_subject):
    class Ripples(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(40 * x[:, :3]).prod(1, keepdim=True).expand(-1, 3)

    found = LimeTabular().attribute(row_subject(Ripples()), silent)
    assert found.fit_r2 < 0.5
    assert any("trust it little" in note for note in found.notes)
