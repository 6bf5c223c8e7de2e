"""Around some weights: directions by their closed form, losses as the polynomial gives them, convex where they must be."""

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import NotApplicable
from core.inspection.landscape import (
    RING,
    angle,
    even_axis,
    figures_along,
    figures_over,
    filter_numbers,
    grid_places,
    measure,
    random_directions,
    ring_places,
)
from core.inspection.shared_plane import PlaneLoss, flat_weights
from core.optim.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from core.training.measures import score, score_sum

CONVOLUTIONS = nn.Sequential(
    nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ConvTranspose2d(3, 5, 2), nn.Flatten(), nn.LayerNorm((5, 4)), nn.Linear(20, 4)
)
SENTENCES = nn.Sequential(nn.Embedding(9, 6, padding_idx=0), nn.LSTM(6, 4), nn.Linear(4, 1))


def quiet(done: int, total: int) -> None:
    """Progress that nobody reads."""


def weights_of(model: nn.Module) -> np.ndarray:
    return flat_weights(model, model.state_dict()).astype(np.float64)


def tensors(model: nn.Module, flat: np.ndarray) -> dict[str, np.ndarray]:
    """A row of weights as the tensors of a model, by name."""
    found, start = {}, 0
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            found[name] = flat[start : start + parameter.numel()].reshape(parameter.shape)
            start += parameter.numel()
    return found


def scored(model: nn.Module, loss: nn.Module, x: torch.Tensor, y: torch.Tensor):
    """The measure of a model in float64."""
    return measure(PlaneLoss(model.double(), loss, x, y), lambda *args: score(score_sum(*args), y))


def linear_case(loss, *, is_regression: bool):
    torch.manual_seed(0)
    x = torch.randn(60, 5, dtype=torch.float64)
    noise = torch.randn(60, dtype=torch.float64)
    y = x[:, 0] - 2 * x[:, 1] + noise
    model = nn.Sequential(nn.Linear(5, 1 if not isinstance(loss, CrossEntropy) else 3))
    targets = y if is_regression else (y > 0).long()
    if isinstance(loss, CrossEntropy):
        targets = targets + (x[:, 2] > 0.5).long()
    return model, scored(model, loss.build(), x, targets), x.numpy(), targets.numpy()


@pytest.mark.parametrize("model", [CONVOLUTIONS, SENTENCES], ids=["convolutions", "sentences"])
@pytest.mark.parametrize("n", [1, 2])
def test_every_filter_of_a_direction_has_the_norm_of_that_filter_of_the_weights(model, n):
    weights = weights_of(model)
    present = tensors(model, weights)
    for direction in random_directions(weights, filter_numbers(model), seed=3, n=n):
        for name, moved in tensors(model, direction).items():
            is_norm = name.split(".")[0] in ("1", "4") and model is CONVOLUTIONS
            if moved.ndim < 2 or is_norm:
                assert not moved.any(), name
                continue
            axis = 1 if model is CONVOLUTIONS and name == "2.weight" else 0
            others = tuple(i for i in range(moved.ndim) if i != axis)
            norms = [np.sqrt(np.square(one).sum(others)) for one in (moved, present[name])]
            np.testing.assert_allclose(*norms, rtol=1e-12, err_msg=name)


def test_a_frozen_layer_and_a_filter_of_zeros_stay_where_they_are():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    with torch.no_grad():
        model[1].weight[0] = 0.0
    weights, filters = weights_of(model), filter_numbers(model)
    assert filters.tolist() == [0] * 4 + [1] * 4 + [-1] * 2
    directions = random_directions(weights, filters, seed=0)
    assert not directions[:, :4].any()
    assert (directions[:, 4:8] != 0).all()


def test_directions_are_at_a_right_angle_within_every_filter_of_two_weights_or_more():
    weights, filters = weights_of(CONVOLUTIONS), filter_numbers(CONVOLUTIONS)
    first, second = random_directions(weights, filters, seed=1)
    np.testing.assert_allclose(np.bincount(filters[filters >= 0], weights=(first * second)[filters >= 0]), 0, atol=1e-12)
    assert angle(np.stack([first, second])) == pytest.approx(90)
    one = nn.Sequential(nn.Linear(1, 6))
    both = random_directions(weights_of(one), filter_numbers(one), seed=1)
    np.testing.assert_allclose(np.abs(both[0]), np.abs(both[1]))
    assert angle(np.array([[1.0, 0.0], [1.0, 1.0]])) == pytest.approx(45)


def test_the_same_seed_goes_in_the_same_direction_from_other_weights():
    filters = filter_numbers(CONVOLUTIONS)
    weights = weights_of(CONVOLUTIONS)
    first, later = (random_directions(scale * weights, filters, seed=5) for scale in (1, 3))
    np.testing.assert_allclose(3 * first, later)
    np.testing.assert_allclose(random_directions(weights, filters, seed=5, n=1)[0], first[0])
    assert not np.allclose(random_directions(weights, filters, seed=6), first)


def test_random_numbers_of_everybody_else_are_untouched():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    random_directions(weights_of(SENTENCES), filter_numbers(SENTENCES), seed=0)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])


@pytest.mark.parametrize(
    "model", [nn.Sequential(nn.BatchNorm1d(3)), nn.Sequential(nn.Linear(2, 2))], ids=["no filter", "zeros"]
)
def test_without_a_filter_that_has_a_norm_it_says_so(model):
    weights = np.zeros(sum(parameter.numel() for parameter in model.parameters()))
    with pytest.raises(NotApplicable):
        random_directions(weights, filter_numbers(model), seed=0)


@pytest.mark.parametrize(
    ("loss", "is_regression"),
    [(MeanSquaredError(), True), (BinaryCrossEntropy(), False), (CrossEntropy(), False)],
    ids=["least squares", "logistic", "softmax"],
)
def test_a_convex_model_is_convex_along_every_line_and_over_the_plane(loss, is_regression):
    model, at, _, _ = linear_case(loss, is_regression=is_regression)
    centre, filters = weights_of(model), filter_numbers(model)
    axis = even_axis(2.0, 21)
    for seed in range(4):
        directions = random_directions(centre, filters, seed)
        line = figures_along(at, centre, directions[0], axis, quiet)[:, 0]
        assert np.diff(line, 2).min() >= -1e-9
        plane = figures_over(at, centre, directions, grid_places(axis), {}, quiet)[:, 0].reshape(21, 21)
        for lines in (plane, plane.T, np.stack([np.diag(plane)]), np.stack([np.diag(plane[::-1])])):
            assert np.diff(lines, 2, axis=1).min() >= -1e-9


def test_squared_errors_of_a_linear_model_are_their_polynomial_on_the_plane():
    model, at, x, y = linear_case(MeanSquaredError(), is_regression=True)
    centre = weights_of(model)
    directions = random_directions(centre, filter_numbers(model), seed=2)
    inputs = np.concatenate([x, np.ones((len(x), 1))], 1)
    residual, slopes = inputs @ centre - y, inputs @ directions.T  # (N,), (N, 2)
    places = grid_places(even_axis(1.0, 11))
    found = figures_over(at, centre, directions, places, {}, quiet)
    expected = np.mean((residual + places @ slopes.T) ** 2, 1)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], 1 - expected / np.var(y), rtol=1e-9)
    ring = figures_over(at, centre, directions, ring_places(0.5), {}, quiet)[:, 0]
    curvature = 2 * np.mean(slopes**2, 0)
    assert ring.mean() - np.mean(residual**2) == pytest.approx(0.25 / 4 * curvature.sum(), rel=1e-9)
    assert len(ring) == RING


def test_rows_of_the_grid_go_along_the_second_direction_and_columns_along_the_first():
    places = grid_places(np.array([-1.0, 0.0, 1.0])).reshape(3, 3, 2)
    assert places[0, 2].tolist() == [1.0, -1.0]
    assert places[2, 0].tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("span", [0.25, 1.0, 1 / 3, 2.7])
def test_finer_axes_hit_the_places_of_coarser_ones_to_the_last_bit(span):
    for coarse, fine in ((11, 21), (11, 41), (21, 41), (11, 61), (21, 61)):
        assert set(even_axis(span, coarse)) <= set(even_axis(span, fine))
    assert even_axis(span, 11)[5] == 0
    assert (even_axis(span, 11)[0], even_axis(span, 11)[-1]) == (-span, span)


def test_what_is_known_is_not_computed_again():
    asked: list[float] = []

    def at(weights):
        asked.append(float(weights[0]))
        return float(weights.sum()), 0.0

    known: dict = {}
    told: list[tuple[int, int]] = []
    centre, directions = np.zeros(2), np.eye(2)
    figures_over(at, centre, directions, grid_places(even_axis(1, 11)), known, quiet)
    found = figures_over(at, centre, directions, grid_places(even_axis(1, 21)), known, lambda *told_: told.append(told_))
    assert len(asked) == 21**2
    np.testing.assert_allclose(found[:, 0], grid_places(even_axis(1, 21)).sum(1))
    assert told[-1] == (441, 441)


def test_where_outputs_are_not_finite_there_is_no_loss_and_no_score():
    model, at, _, _ = linear_case(CrossEntropy(), is_regression=False)
    assert np.isnan(at(np.full(18, np.inf))).all()
    assert 0 <= at(weights_of(model))[1] <= 1
