"""Deletion and insertion curves against closed forms: of a linear model the output is the sum of what is shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.explanation.evaluations import Evaluations
from core.explanation.faithfulness import (
    RANDOM_ORDERS,
    explained_order,
    faithfulness,
    fill_of,
    hidden,
    n_curve_evaluations,
    random_parts,
)
from core.explanation.integrated import IntegratedGradients
from core.explanation.segments import grid
from core.explanation.text_gradient import LayerIntegratedGradients
from core.explanation.text_lime import LimeText
from core.explanation.text_shap import ShapText
from tests.core.explanation.evidence_models import attribution_of, silent

WEIGHTS = np.array([3.0, -2.0, 0.5, 1.0, -0.25, 2.0])


def linear_model(weights: np.ndarray, *, is_image: bool = False) -> nn.Sequential:
    """Output 1 is the weighted sum of the inputs, outputs 0 and 2 are 0."""
    layer = nn.Linear(weights.size, 3)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[1] = torch.from_numpy(weights.ravel()).float()
    return nn.Sequential(nn.Flatten(), layer) if is_image else nn.Sequential(layer)


@pytest.fixture
def linear_row(row_subject):
    """A row of ones against zeros: the contribution of a feature is its weight."""
    return replace(row_subject(linear_model(WEIGHTS)), x=torch.ones(1, 6))


def curves_of(subject, values, fill=None, segments=None):
    found = attribution_of(subject, values, segments=segments)
    fill = torch.zeros_like(subject.x) if fill is None else fill
    return faithfulness(found, Evaluations(subject, silent, 1), fill, seed=3)


def test_hiding_the_true_order_gives_the_lowest_curve_and_showing_it_the_highest(linear_row):
    found = curves_of(linear_row, WEIGHTS)
    steps = np.concatenate([[0.0], np.cumsum(np.sort(WEIGHTS)[::-1])])
    assert found.shares == pytest.approx(np.arange(7) / 6)
    assert found.insertion == pytest.approx(steps)
    assert found.deletion == pytest.approx(WEIGHTS.sum() - steps)
    assert found.gap == pytest.approx(np.trapezoid(2 * steps - WEIGHTS.sum(), found.shares))
    assert (found.random_gaps <= found.gap + 1e-9).all()
    assert found.chance <= 0.05


def test_random_orders_give_the_straight_line_between_all_and_nothing_in_the_mean(linear_row):
    found = curves_of(linear_row, WEIGHTS)
    line = WEIGHTS.sum() * (1 - found.shares)
    spread = found.random_deletion.std(0) / RANDOM_ORDERS**0.5
    assert (np.abs(found.random_deletion.mean(0) - line) <= 4 * spread + 1e-9).all()
    assert found.random_gaps.mean() == pytest.approx(0, abs=1e-12)


def test_the_wrong_way_round_is_worse_than_every_random_order(linear_row):
    found = curves_of(linear_row, -WEIGHTS)
    assert found.gap == pytest.approx(-curves_of(linear_row, WEIGHTS).gap)
    assert found.chance > 0.95


def test_the_reverse_of_an_order_has_the_gap_with_the_other_sign(linear_row):
    nonlinear = replace(linear_row, module=nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)).eval())
    there, back = curves_of(nonlinear, np.arange(6.0)), curves_of(nonlinear, -np.arange(6.0))
    assert there.insertion == pytest.approx(back.deletion[::-1])
    assert there.gap == pytest.approx(-back.gap)


@pytest.mark.parametrize(("n", "best"), [(2, 1 / 2), (3, 1 / 6), (4, 1 / 24)])
def test_for_few_features_all_orders_are_tried_and_the_chance_is_exact(row_subject, n, best):
    weights = 2.0 ** np.arange(n)
    subject = replace(row_subject(linear_model(weights), n_features=n), x=torch.ones(1, n))
    found = curves_of(subject, weights)
    assert len(found.random_gaps) == round(1 / best)
    assert found.chance == pytest.approx(best)


def test_one_feature_has_one_order(row_subject):
    subject = replace(row_subject(linear_model(np.ones(1)), n_features=1), x=torch.ones(1, 1))
    assert curves_of(subject, np.ones(1)).chance == 1


def test_pixels_of_a_picture_are_hidden_in_patches_and_in_all_channels(image_subject):
    weights = np.zeros((2, 28, 28))
    weights[:, 4:8, 8:12] = 1.0  # one cell of the 7 × 7 grid
    subject = replace(image_subject(linear_model(weights, is_image=True), channels=2), x=torch.ones(1, 2, 28, 28))
    found = curves_of(subject, weights.sum(0))
    assert found.n_parts == 49
    assert len(found.shares) == 29
    assert found.deletion[0] == found.insertion[-1] == 32
    assert found.deletion[1:] == pytest.approx(np.zeros(28))  # a step is 28 pixels, the cell has 16
    assert found.insertion[1:] == pytest.approx(np.full(28, 32))


def test_pixels_that_speak_for_a_class_and_against_it_do_not_cancel(image_subject):
    cells, values = grid((28, 28), 49), np.zeros((28, 28))
    values[cells == 10] = 1.0
    values[cells == 30] = np.where(np.arange(16) % 2, 5.0, -5.0)  # a shape: both signs, no sum
    values[cells == 40] = -1.0
    subject = image_subject()
    found = attribution_of(subject, values)
    places, parts = random_parts(subject, found)
    order = parts[explained_order(found, places, parts, np.random.default_rng(0))].reshape(49, 16)[:, 0]
    assert (order[0], order[1], order[-1]) == (30, 10, 40)


def test_superpixels_are_hidden_whole(image_subject):
    segments = grid((28, 28), 4)
    values = np.array([1.0, 3.0, 3.0, 2.0])[segments]
    subject = image_subject()
    places, parts = random_parts(subject, attribution_of(subject, values, segments=segments))
    order = explained_order(attribution_of(subject, values, segments=segments), places, parts, np.random.default_rng(0))
    seen = parts[order].reshape(4, 196)
    assert (seen == seen[:, :1]).all()
    assert {seen[0, 0], seen[1, 0]} == {1, 2}
    assert (seen[2, 0], seen[3, 0]) == (3, 0)


LEFT_OUT = {
    "deletion": [[0, 0, 5, 7, 9], [0, 0, 0, 5, 9], [0, 0, 0, 0, 9], [0, 0, 0, 0, 0]],
    "insertion": [[0, 0, 0, 0, 0], [0, 0, 0, 0, 7], [0, 0, 0, 5, 7], [0, 0, 5, 7, 9]],
}
REPLACED = {
    "deletion": [[0, 0, 5, 7, 9], [0, 0, 5, 1, 9], [0, 0, 1, 1, 9], [0, 0, 1, 1, 1]],
    "insertion": [[0, 0, 1, 1, 1], [0, 0, 1, 7, 1], [0, 0, 5, 7, 1], [0, 0, 5, 7, 9]],
}


@pytest.mark.parametrize(
    ("method", "texts", "words"),
    [
        (ShapText(), LEFT_OUT, "left out"),
        (LimeText(hidden="unknown"), REPLACED, "unknown word"),
        (LayerIntegratedGradients(), LEFT_OUT, "left out"),
        (LayerIntegratedGradients(hidden="unknown"), REPLACED, "unknown word"),
        (IntegratedGradients(), LEFT_OUT, "left out"),
    ],
    ids=lambda one: getattr(one, "kind", ""),
)
def test_words_are_hidden_as_the_method_hides_them_and_padding_is_not(method, texts, words, row_subject):
    module = nn.Sequential(nn.Embedding(10, 3), nn.Flatten(), nn.Linear(15, 3)).eval()
    tokens = ("", "", "the", "good", "film")
    subject = replace(row_subject(), module=module, x=torch.tensor([[0, 0, 5, 7, 9]]), tokens=tokens)
    fill, told = fill_of(subject, method)
    assert words in told
    found = curves_of(subject, np.array([9.0, 9.0, 1.0, 2.0, 0.0]), fill=fill)
    assert found.n_parts == 3
    for name, rows in texts.items():
        with torch.no_grad():
            assert getattr(found, name) == pytest.approx(module(torch.tensor(rows))[:, 1].numpy(), rel=1e-5)


def test_the_fill_is_the_method_s_own(image_subject):
    subject = image_subject()
    black, words = fill_of(subject, IntegratedGradients(baseline="black"))
    assert not black.any()
    assert words == "black"
    mean, words = fill_of(subject, IntegratedGradients())
    assert torch.allclose(mean[0, 0], subject.background.mean().expand(28, 28))
    assert "mean" in words


def test_hidden_places_take_the_fill(row_subject):
    rows = hidden(torch.tensor([[1.0, 2.0]]), torch.tensor([[8.0, 9.0]]), np.array([[True, False], [False, False]]))
    assert rows.tolist() == [[8, 2], [1, 2]]


@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_number_of_evaluations_is_known_before(row_subject, n):
    subject = row_subject(linear_model(np.ones(n)), n_features=n)
    evaluations = Evaluations(subject, silent, 1)
    faithfulness(attribution_of(subject, np.ones(n)), evaluations, torch.zeros_like(subject.x), seed=0)
    assert evaluations.done == n_curve_evaluations(n, n)


def test_a_class_held_against_another_and_a_number_in_its_unit_are_followed(linear_row):
    module = linear_row.module
    with torch.no_grad():
        module[0].weight[0] = 1.0
    against = curves_of(replace(linear_row, contrast=0), WEIGHTS - 1)
    assert against.deletion[0] == pytest.approx(WEIGHTS.sum() - 6)
    number = replace(linear_row, module=nn.Sequential(module, nn.Linear(3, 1)), target=0, task="regression")
    with torch.no_grad():
        assert curves_of(number, WEIGHTS).deletion[0] == pytest.approx(float(number.module(number.x)))
