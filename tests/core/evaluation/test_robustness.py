"""Disturbances against closed forms: nothing at strength 0, a full turn, the worst step of a linear model."""

import numpy as np
import pytest
import torch
from torch import nn

from core.data.disturb import Raw, disturbed
from core.data.disturbance import (
    AnyDisturbance,
    Blur,
    ColumnNoise,
    FastGradientSign,
    FastGradientSignColumns,
    Patch,
    PixelNoise,
    TokenDropping,
    Turn,
)
from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Iris
from core.data.toy import GaussRegression, Spiral
from core.evaluation.predictions import predictions
from core.evaluation.robustness import attack_size, fast_gradient_sign, robustness, undisturbed
from core.spec import choices

RNG = np.random.default_rng(1)
PICTURES = Raw(RNG.uniform(0, 255, (6, 1, 9, 7)).astype(np.float32), colour=np.array([40.0], np.float32))
TEXTS = Raw(np.concatenate([np.zeros((50, 3), int), RNG.integers(2, 9, (50, 12))], 1))
ROWS = Raw(np.tile(np.float32([3, 8, np.nan]), (4000, 1)), spread=np.array([2.0, 0.0, 1.0]))


def given(data, split="test", seed=0):
    splits = data.splits(seed)
    part, number = getattr(splits, split), ("train", "validation", "test").index(split)
    original = data.places(seed, number) if hasattr(data, "places") else splits.originals[number].x
    return undisturbed(splits, data, seed, splits.model_input(part.x), part.y, original)


def linear_net(n_inputs: int, n_outputs: int) -> nn.Sequential:
    net = nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, n_outputs))
    generator = torch.Generator().manual_seed(0)
    nn.init.normal_(net[1].weight, generator=generator)
    return net.eval()


@pytest.mark.parametrize(("data", "n_outputs"), [(Digits(), 10), (Iris(), 3), (Spiral(n_points=200), 2)])
def test_at_strength_0_every_score_is_exactly_the_undisturbed_one(data, n_outputs):
    examples = given(data)
    net = linear_net(examples.x[0].size, n_outputs)
    said = predictions(net, examples.splits, "test")
    original, prepared = data.original_profile(), data.profile()
    for cls in choices(AnyDisturbance):
        disturbance = cls()
        if disturbance.reason_against(original, prepared):
            continue
        found = robustness(net, examples, disturbance, np.array([0.0, disturbance.strongest]), 0)
        assert found.score[0] == (said.predicted == said.labels).mean()
        assert found.kept[0] == 1
        assert found.low[0] <= found.score[0] <= found.high[0]


def test_undisturbed_examples_go_through_the_preparation_as_they_came():
    for data in (Digits(), Digits(preparation=Preparation(scaling="standardise", pca=5)), Iris(), Spiral(n_points=200)):
        examples = given(data)
        np.testing.assert_allclose(examples.prepared(examples.raw.x), examples.x, atol=2e-5)


def test_a_full_turn_is_the_identity_and_half_turns_go_both_ways():
    np.testing.assert_allclose(disturbed(Turn(), PICTURES, 360.0, 0), PICTURES.x, atol=0.05)
    half = disturbed(Turn(), PICTURES, 180.0, 0)
    np.testing.assert_allclose(half, PICTURES.x[:, :, ::-1, ::-1], atol=0.05)
    square = Raw(PICTURES.x[..., :7, :])
    quarter = disturbed(Turn(), square, 90.0, 0)
    ways = {
        way for one, before in zip(quarter, square.x, strict=True) for way in (1, -1)
        if np.allclose(one[0], np.rot90(before[0], way), atol=0.05)
    }  # fmt: skip
    assert ways == {1, -1}


def test_noise_has_the_spread_that_was_asked_for_and_stays_within_the_pixels():
    grey = Raw(np.full((50, 1, 20, 20), 128, np.float32))
    noisy = disturbed(PixelNoise(), grey, 20.0, 0)
    assert noisy.std() == pytest.approx(20, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    loud = disturbed(PixelNoise(), grey, 500.0, 0)
    assert (loud.min(), loud.max()) == (0, 255)
    np.testing.assert_allclose(disturbed(PixelNoise(), grey, 10.0, 0) - 128, (noisy - 128) / 2, atol=1e-4)


def test_blur_keeps_the_mean_and_takes_the_differences():
    flat = Raw(np.full((1, 1, 8, 8), 77, np.float32))
    np.testing.assert_allclose(disturbed(Blur(), flat, 2.0, 0), flat.x, rtol=1e-5)
    assert disturbed(Blur(), PICTURES, 2.0, 0).std() < PICTURES.x.std() / 2


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_patch_covers_its_share_with_the_mean_colour(share):
    covered = disturbed(Patch(), PICTURES, share, 0)
    is_covered = covered != PICTURES.x
    np.testing.assert_allclose(is_covered.mean((1, 2, 3)), share, atol=0.08)
    assert (covered[is_covered] == 40).all()


def test_noise_on_numbers_leaves_categories_and_gaps():
    noisy = disturbed(ColumnNoise(), ROWS, 0.5, 0)
    assert noisy[:, 0].std() == pytest.approx(1.0, rel=0.05)
    assert (noisy[:, 1] == 8).all()
    assert np.isnan(noisy[:, 2]).all()


def test_lost_words_leave_the_others_in_order_and_at_least_one():
    kept = disturbed(TokenDropping(), TEXTS, 0.4, 0)
    more = disturbed(TokenDropping(), TEXTS, 0.7, 0)
    assert (kept != 0).mean() == pytest.approx(0.6 * 12 / 15, abs=0.05)
    for before, after, last in zip(TEXTS.x, kept, more, strict=True):
        words, left, fewer = (" ".join(map(str, row[row != 0])) for row in (before, after, last))
        assert is_part(left.split(), words.split())
        assert is_part(fewer.split(), left.split())
        assert (np.diff((after != 0).astype(int)) >= 0).all()
    np.testing.assert_array_equal((disturbed(TokenDropping(), TEXTS, 1.0, 0) != 0).sum(1), 1)


def is_part(some: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in some)


def test_the_attack_is_the_worst_step_of_a_linear_model():
    net = linear_net(4, 2)
    weight = net[1].weight.detach().numpy()
    x, y = RNG.normal(size=(30, 4)).astype(np.float32), RNG.integers(0, 2, 30)
    moved = fast_gradient_sign(net, x, y, np.full(4, 0.25), (-np.inf, np.inf))
    away = np.sign(weight[1 - y] - weight[y])
    np.testing.assert_allclose(moved, x + 0.25 * away, atol=1e-6)
    margin = [(one @ (weight[y] - weight[1 - y]).T).diagonal() for one in (x, moved)]
    np.testing.assert_allclose(margin[0] - margin[1], 0.25 * np.abs(weight[0] - weight[1]).sum(), rtol=1e-4)


def test_the_attack_on_a_number_moves_it_away_from_the_right_one():
    net = linear_net(3, 1)
    x = RNG.normal(size=(20, 3)).astype(np.float32)
    before = net(torch.from_numpy(x)).detach().numpy()[:, 0]
    y = (before - 1).astype(np.float32)
    moved = fast_gradient_sign(net, x, y, np.full(3, 0.1), (-np.inf, np.inf))
    np.testing.assert_allclose(moved, x + 0.1 * np.sign(net[1].weight.detach().numpy()), atol=1e-6)


def test_attacked_pixels_move_by_so_many_grey_levels_and_stay_valid():
    data = Digits(preparation=Preparation(scaling="standardise"))
    examples = given(data)
    net = linear_net(64, 10)
    x, pixels = examples.under(net, FastGradientSign(), 51.0, 0)
    change = np.abs(pixels - examples.raw.x)
    assert change.max() == pytest.approx(51, abs=0.01)
    assert (pixels.min(), pixels.max()) == (pytest.approx(0, abs=1e-2), pytest.approx(255, abs=1e-2))
    _, low, high = attack_size(examples.splits, 51.0)
    assert ((x >= low - 1e-5) & (x <= high + 1e-5)).all()


def test_the_model_and_the_global_random_numbers_are_left_as_they_were():
    examples = given(Digits())
    net = linear_net(64, 10)
    before, state, numbers = net[1].weight.detach().clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    for disturbance in (Turn(), PixelNoise(), FastGradientSign()):
        first, second = (robustness(net, examples, disturbance, np.array([0, 20.0]), 3) for _ in range(2))
        np.testing.assert_array_equal(first.score, second.score)
    assert torch.equal(net[1].weight, before)
    assert net[1].weight.grad is None
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], numbers)


def test_of_numbers_the_mean_absolute_error_is_told():
    examples = given(GaussRegression(n_points=200))
    found = robustness(linear_net(2, 1), examples, ColumnNoise(), np.array([0.0, 1.0]), 0)
    assert found.is_regression
    assert np.isnan(found.kept).all()
    assert found.low[0] < found.score[0] < found.high[0]


def test_what_does_not_apply_is_said():
    images, texts, rows = Digits(), Sentiment(), Iris()
    components = Digits(preparation=Preparation(pca=5))

    def reason(disturbance, data):
        return disturbance.reason_against(data.original_profile(), data.profile())

    assert "is for images, and these data are texts" in reason(Blur(), texts)
    assert "is for texts" in reason(TokenDropping(), rows)
    assert "principal components" in reason(FastGradientSign(), components)
    assert reason(FastGradientSignColumns(), components) is None
    assert "is for points and tables" in reason(FastGradientSignColumns(), images)
    for data in (images, texts, rows, components, Spiral()):
        assert any(reason(cls(), data) is None for cls in choices(AnyDisturbance))
