"""Shapley values against their definition, their axioms and closed forms."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.explanation.evaluations import baseline_input
from core.explanation.shap_method import ShapPartition, ShapSuperpixels, ShapTabular, n_coalitions, shapley_values


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


@pytest.mark.parametrize("n_players", [6, 16], ids=["exact", "sampled"])
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
    pairs = rng.normal(size=(18, 18))

    def game(rows):
        return ((rows @ pairs) * rows).sum(1)

    found = shapley_values(game, np.ones(18), np.zeros((1, 18)), 80, seed=0)
    both = pairs + pairs.T
    assert np.allclose(found.values, np.diag(pairs) + (both.sum(1) - np.diag(both)) / 2, atol=1e-9)
    assert found.stderr == pytest.approx(np.zeros(18), abs=1e-9)


def by_subsets(game, n):
    """Exact values by the definition over subsets, and the worth of all players: 13! orders are too many."""
    shown = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    worth, sizes = game(shown), shown.sum(1).astype(int)
    share = np.array([math.factorial(s) * math.factorial(n - 1 - s) / math.factorial(n) for s in range(n)])
    exact = np.zeros(n)
    for player in range(n):
        absent = shown[:, player] == 0
        present = np.flatnonzero(absent) + 2 ** (n - 1 - player)
        exact[player] = (share[sizes[absent]] * (worth[present] - worth[absent])).sum()
    return exact, worth[-1]


@pytest.mark.parametrize(("n_players", "n_evaluations"), [(13, 500), (15, 800), (16, 640)], ids=["kernel", "15", "orders"])
def test_two_standard_errors_hold_the_exact_value_about_as_often_as_they_should(n_players, n_evaluations):
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(n_players, 3)) * 0.6

    def game(rows):  # products of all players
        return np.prod(rows[:, :, None] * weights + 1, axis=1).sum(1)

    exact, full = by_subsets(game, n_players)
    inside = []
    for seed in range(12):
        found = shapley_values(game, np.ones(n_players), np.zeros((1, n_players)), n_evaluations, seed)
        assert found.values.sum() + found.base == pytest.approx(full, abs=1e-9)
        inside.append(np.abs(found.values - exact) <= 2 * found.stderr)
    assert 0.85 <= np.mean(inside) < 1.0


def test_kernel_shap_is_near_the_exact_values_and_equal_to_them_once_all_coalitions_are_tried():
    rng = np.random.default_rng(3)
    row, background = rng.normal(size=13), rng.normal(size=(6, 13))

    def game(rows):
        return curved(rows) + np.cos(rows[:, 5] * rows[:, 6] + rows[:, 7]) * rows[:, 8]

    def mean_game(shown):
        return np.array([game(np.where(one > 0.5, row, background)).mean() for one in shown])

    exact, _full = by_subsets(mean_game, 13)
    near = shapley_values(game, row, background, 500, seed=0)
    assert not near.is_exact
    assert np.abs(near.values - exact).mean() < 0.05 * np.abs(exact).mean()
    all_tried = shapley_values(game, row, background, 10_000, seed=0)
    assert all_tried.is_exact
    assert all_tried.stderr is None
    assert np.allclose(all_tried.values, exact, atol=1e-9)


@pytest.mark.parametrize(("n_players", "n_evaluations"), [(5, 500), (12, 100), (13, 300), (14, 20_000), (16, 100), (40, 500)])
def test_the_number_of_coalitions_is_what_was_told_before(n_players, n_evaluations):
    asked = []

    def game(rows):
        asked.append(len(rows))
        return rows.sum(1) + rows[:, 0] * rows[:, 1]

    shapley_values(game, np.ones(n_players), np.zeros((1, n_players)), n_evaluations, seed=0)
    assert sum(asked) == n_coalitions(n_players, n_evaluations)


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


FILLS = ["mean", "blur", "black", "noise"]


@pytest.mark.parametrize("cut", ["slic", "grid"])
@pytest.mark.parametrize("baseline", FILLS)
@pytest.mark.parametrize("n_segments", [9, 14, 49], ids=["exact", "kernel", "sampled"])
def test_superpixels_of_a_linear_model_get_the_sum_of_their_pixels(n_segments, baseline, cut, image_subject):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 28 * 28, 3))
    subject = image_subject(model, channels=3)
    found = ShapSuperpixels(n_segments=n_segments, baseline=baseline, cut=cut).attribute(subject, silent)
    weights = model[1].weight[1].detach().reshape(3, 28, 28)
    per_pixel = (weights * (subject.x - baseline_input(subject, baseline))[0]).sum(0).numpy()
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


def test_the_last_patch_is_hidden_too(image_subject):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    subject = image_subject(model)
    segments = ShapSuperpixels().attribute(subject, silent).segments
    last = torch.from_numpy(segments == segments.max())
    with torch.no_grad():  # a model that looks at nothing else
        model[1].weight.zero_()
        model[1].weight[1] = last.flatten().float()
    found = ShapSuperpixels().attribute(image_subject(model), silent)
    assert found.players[-1] == pytest.approx(found.output - found.base, abs=1e-5)
    assert np.abs(found.players[:-1]).max() < 1e-5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("baseline", FILLS)
def test_partition_shares_out_the_change_from_its_own_fill(baseline, channels, image_subject):
    subject = image_subject(channels=channels)
    found = ShapPartition(baseline=baseline, n_evaluations=200).attribute(subject, silent)
    with torch.no_grad():
        base = float(subject.module(baseline_input(subject, baseline))[0, 1])
    assert found.base == pytest.approx(base, abs=1e-5)
    assert abs(found.residual) < 1e-4
    assert found.n_evaluations <= 220


def test_partition_of_a_linear_model_that_was_halved_to_the_end_gives_each_pixel_its_own(image_subject):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    subject = image_subject(model, side=4)
    found = ShapPartition(n_evaluations=2000).attribute(subject, silent)
    fill = float(subject.background.mean())
    expected = (model[1].weight[1].detach().reshape(4, 4) * (subject.x[0, 0] - fill)).numpy()
    assert np.allclose(found.values, expected, atol=1e-5)


def test_a_class_held_against_another_is_the_difference_of_both(image_subject):
    subject = image_subject(seed=5)
    for method in (ShapSuperpixels(n_segments=9), ShapPartition(n_evaluations=150)):
        one, other, both = (
            method.attribute(replace(subject, target=target, contrast=contrast), silent).values
            for target, contrast in ((1, None), (2, None), (1, 2))
        )
        if method.kind == "shap_superpixels":  # the partition depends on what is explained
            assert np.allclose(both, one - other, atol=1e-5)
        assert not np.allclose(both, one)
