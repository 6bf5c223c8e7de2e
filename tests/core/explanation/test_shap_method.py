"""Shapley values against their definition, their axioms and closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from core.explanation.shap_method import ShapSuperpixels, ShapTabular, shapley_values


def silent(done: int, total: int) -> None:
    pass


def by_definition(game, row, background):
    """Shapley values as the mean over all orders of the players, the slow way."""
    n = len(row)

    def worth(shown):
        rows = background.copy()
        rows[:, list(shown)] = row[list(shown)]
        return game(rows).mean()

    values = np.zeros(n)
    for order in itertools.permutations(range(n)):
        for i, player in enumerate(order):
            values[player] += worth(order[: i + 1]) - worth(order[:i])
    return values / math.factorial(n)


def curved(rows):
    return rows[:, 0] * rows[:, 1] + np.sin(rows[:, 2]) + rows[:, 3] ** 2 * rows[:, 0] - rows[:, -1]


def test_exact_values_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    row, background = rng.normal(size=5), rng.normal(size=(7, 5))
    found = shapley_values(curved, row, background, 500, seed=0)
    assert found.is_exact
    assert found.stderr is None
    assert np.allclose(found.values, by_definition(curved, row, background), atol=1e-10)
    assert found.base == pytest.approx(curved(background).mean(), abs=1e-12)


@pytest.mark.parametrize("n_players", [6, 14], ids=["exact", "sampled"])
def test_a_player_that_does_nothing_gets_nothing_and_equals_get_the_same(n_players):
    def game(rows):  # player 2 is a dummy, players 0 and 1 are alike
        return rows[:, 0] * rows[:, 1] + 3 * rows[:, 3] + rows[:, 4:].sum(1) ** 2

    found = shapley_values(game, np.ones(n_players), np.zeros((1, n_players)), 20_000, seed=0)
    assert found.is_exact == (n_players <= 12)
    assert found.values[2] == pytest.approx(0, abs=1e-12)
    # A pair of an order and its reverse treats two players alike when they meet in one product only.
    assert found.values[0] == pytest.approx(found.values[1], abs=1e-9)
    assert found.values[3] == pytest.approx(3, abs=1e-9)


def test_antithetic_pairs_are_exact_where_players_meet_two_by_two():
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(15, 15))

    def game(rows):
        return ((rows @ pairs) * rows).sum(1)

    found = shapley_values(game, np.ones(15), np.zeros((1, 15)), 62, seed=0)
    both = pairs + pairs.T
    assert np.allclose(found.values, np.diag(pairs) + (both.sum(1) - np.diag(both)) / 2, atol=1e-9)
    assert found.stderr == pytest.approx(np.zeros(15), abs=1e-9)


def test_two_standard_errors_hold_the_exact_value_about_as_often_as_they_should():
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(13, 3))

    def game(rows):  # three-way products, whose exact shares are thirds
        return np.prod(rows[:, :, None] * weights + 1, axis=1).sum(1) * 0.1

    # Exact by the definition over subsets, since 13! orders are too many.
    shown = np.array(list(itertools.product([0.0, 1.0], repeat=13)))
    worth, sizes = game(shown), shown.sum(1).astype(int)
    share = np.array([math.factorial(s) * math.factorial(12 - s) / math.factorial(13) for s in range(13)])
    exact = np.zeros(13)
    for player in range(13):
        absent = shown[:, player] == 0
        present = np.flatnonzero(absent) + 2 ** (12 - player)
        exact[player] = (share[sizes[absent]] * (worth[present] - worth[absent])).sum()
    inside = []
    for seed in range(8):
        found = shapley_values(game, np.ones(13), np.zeros((1, 13)), 27 * 20, seed)
        assert found.values.sum() + found.base == pytest.approx(worth[-1], abs=1e-9)
        inside.append(np.abs(found.values - exact) <= 2 * found.stderr)
    assert 0.85 <= np.mean(inside) < 1.0


@pytest.mark.parametrize("n_features", [5, 16], ids=["exact", "sampled"])
def test_shap_of_a_linear_model_is_weight_times_distance_from_the_mean(n_features, row_subject):
    model = nn.Sequential(nn.Linear(n_features, 3))
    subject = row_subject(model, n_features=n_features)
    found = ShapTabular(n_background=60).attribute(subject, silent)
    distance = (subject.x - subject.background.mean(0))[0].numpy()
    assert np.allclose(found.values, model[0].weight[1].detach().numpy() * distance, atol=1e-5)
    assert abs(found.residual) < 1e-4


def test_hidden_features_take_the_values_of_rows_all_over_the_background(row_subject):
    subject = row_subject(n_features=4)
    subject.background[:30] += 100  # a sorted training set: the first half is another class
    found = ShapTabular(n_background=10).attribute(subject, silent)
    picked = subject.background[torch.linspace(0, 59, 10).round().long()]
    with torch.no_grad():
        assert found.base == pytest.approx(float(subject.module(picked)[:, 1].mean()), abs=1e-5)


def test_a_row_that_equals_its_background_gets_zeros(row_subject):
    subject = row_subject(n_features=4)
    subject.background[:] = subject.x
    found = ShapTabular().attribute(subject, silent)
    assert not found.values.any()
    assert found.base == pytest.approx(found.output, abs=1e-6)


@pytest.mark.parametrize("n_segments", [9, 49], ids=["exact", "sampled"])
def test_superpixels_of_a_linear_model_get_the_sum_of_their_pixels(n_segments, image_subject):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 28 * 28, 3))
    subject = image_subject(model, channels=3)
    found = ShapSuperpixels(n_segments=n_segments).attribute(subject, silent)
    mean_colour = subject.background.mean((0, 2, 3), keepdim=True)
    weights = model[1].weight[1].detach().reshape(3, 28, 28)
    per_pixel = (weights * (subject.x - mean_colour)[0]).sum(0).numpy()
    expected = np.bincount(found.segments.ravel(), per_pixel.ravel())
    assert np.allclose(found.players, expected, atol=1e-4)
    assert abs(found.residual) < 1e-4
    assert (found.stderr is None) == (len(found.players) <= 12)
    if found.stderr is not None:
        assert found.stderr.max() < 1e-4


def test_superpixels_on_a_small_picture_are_a_grid_of_16(image_subject):
    found = ShapSuperpixels().attribute(image_subject(side=8), silent)
    assert len(found.players) == 16
    assert np.array_equal(np.bincount(found.segments.ravel()), np.full(16, 4))
    assert abs(found.residual) < 1e-4
