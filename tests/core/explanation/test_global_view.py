"""Views of many examples: sums of what the single explanations are."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from core.data.gallery import background, example
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes
from core.explanation.columns import columns_of
from core.explanation.global_view import Many, Tally, global_maps, global_view, global_words, sampled
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.prepared import subject_of
from core.explanation.shap_method import ShapTabular
from core.explanation.text_shap import ShapText
from tests.core.explanation.test_columns import flower_table


def many(data, model, n=12, target=1):
    torch.manual_seed(0)
    splits = data.splits(0)
    subject = subject_of(model, splits, example(splits, "validation", 0), background(splits, 60, 0), target)
    return Many(subject, splits, "validation", sampled(splits, "validation", n, 0))


def tally(reports=None):
    return Tally(lambda done, total: reports.append((done, total)) if reports is not None else None, 10)


def test_contributions_of_a_linear_model_are_weight_times_distance_from_the_mean():
    model = nn.Sequential(nn.Linear(30, 2))
    ready = many(BreastCancer(), model)
    found = global_view(ready, ShapTabular(n_background=60), columns_of(BreastCancer()), 3, tally())
    rows = ready.splits.model_input(ready.splits.validation.x[ready.indices])
    expected = model[0].weight[1].detach().numpy() * (rows - ready.subject.background.numpy().mean(0))
    assert np.allclose(found.contributions, expected, atol=1e-4)
    assert np.allclose(found.mean_sizes, np.abs(expected).mean(0), atol=1e-4)
    assert np.allclose(found.base + found.contributions.sum(1), found.outputs, atol=1e-4)
    assert np.allclose(found.values, ready.splits.validation.x[ready.indices], rtol=1e-3, atol=1e-4)
    assert np.array_equal(found.labels, ready.splits.validation.y[ready.indices])
    assert found.losses.shape == found.scores.shape == (3, 30)
    assert found.unit == "logit"


def test_the_inputs_of_a_category_are_added_up(home):
    data = flower_table()
    model = nn.Sequential(nn.Linear(4, 3))
    ready = many(data, model)
    found = global_view(ready, ShapTabular(), columns_of(data), 2, tally())
    single = ShapTabular().attribute(next(ready.subjects()), lambda done, total: None)
    assert found.columns == ("length", "width", "colour")
    assert found.contributions[0] == pytest.approx([single.values[0], single.values[1], single.values[2:].sum()], abs=1e-6)
    assert set(found.values[:, 2]) <= {0.0, 1.0}


def test_a_number_is_judged_in_its_own_unit():
    ready = many(Diabetes(), nn.Sequential(nn.Linear(10, 1)), target=None)
    found = global_view(ready, ShapTabular(n_background=10), columns_of(Diabetes()), 2, tally())
    assert found.loss_unit == ready.splits.profile.target_name
    assert found.score_name == "R²"
    assert found.loss > 10  # an untrained model: far off in a unit from 25 to 346
    assert set(found.labels) == {-1}


def test_progress_is_one_count_and_a_cancel_comes_through():
    reports = []
    ready = many(BreastCancer(), nn.Sequential(nn.Linear(30, 2)), n=4)
    global_view(ready, ShapTabular(n_background=5), columns_of(BreastCancer()), 2, tally(reports))
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(reports))
    assert all(done <= total for done, total in reports)
    assert len(reports) > 20

    class Cancelled(Exception):
        pass

    def stop(done, total):
        if done > 500:
            raise Cancelled

    with pytest.raises(Cancelled):
        global_view(ready, ShapTabular(n_background=5), columns_of(BreastCancer()), 2, Tally(stop, 10))


def test_the_sample_is_rising_mixed_and_the_same_every_time():
    splits = BreastCancer().splits(0)
    places = sampled(splits, "validation", 20, 0)
    assert np.array_equal(places, np.unique(places))
    assert np.array_equal(places, sampled(splits, "validation", 20, 0))
    share = splits.validation.y.mean()
    assert splits.validation.y[places].mean() == pytest.approx(share, abs=0.08)
    assert len(sampled(splits, "validation", 10_000, 0)) == len(splits.validation)


def net():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 10))


@pytest.mark.parametrize("method", [GradCam(), IntegratedGradients(steps=8)], ids=lambda one: one.kind)
def test_mean_maps_are_the_means_of_the_single_ones(method):
    ready = many(Digits(), net(), n=25)
    found = global_maps(ready, method, tally())
    assert found.maps.shape == (10, 8, 8)
    assert found.counts.sum() == 25
    assert found.counts.min() >= 1
    singles = [
        (subject.target, np.abs(method.attribute(subject, lambda done, total: None).values), subject.pixels)
        for subject in ready.subjects(own_class=True)
    ]
    threes = [one for one in singles if one[0] == 3]
    assert len(threes) == found.counts[3]
    assert np.allclose(found.maps[3], np.mean([one[1] for one in threes], 0), atol=1e-6)
    assert np.abs(found.pictures[3] - np.mean([one[2] for one in threes], 0)).max() <= 0.5


class Sums(nn.Module):
    """Logit 1 is the sum of a number per token: the contribution of a word is its number less that of nothing."""

    def __init__(self, worth: torch.Tensor) -> None:
        super().__init__()
        self.worth = worth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = self.worth[x].sum(1)
        return torch.stack([0 * total, total], 1)


def test_words_of_a_model_that_adds_up_have_their_own_number_on_the_mean():
    data = Sentiment(n_examples=200)
    worth = torch.randn(128, generator=torch.Generator().manual_seed(0))
    worth[0] = 0  # padding
    ready = many(data, nn.Sequential(Sums(worth)), n=10)
    found = global_words(ready, ShapText(), tally())
    place = {word: number for number, word in enumerate(ready.splits.vocabulary)}
    expected = [float(worth[place[word]]) for word in found.words]
    assert np.allclose(found.means, expected, atol=1e-4)
    assert "" not in found.words
    assert np.all(np.diff(np.abs(found.means)) <= 1e-9)
    assert found.counts.sum() == sum(sum(bool(token) for token in subject.tokens) for subject in ready.subjects())
    assert np.nanmax(found.spreads) < 1e-4
