"""The plane of all lanes: principal components as scikit-learn finds them, losses as the closed form gives them."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from core.errors import NotApplicable
from core.inspection.shared_plane import PlaneLoss, Way, flat_weights, loss_over, principal_plane, shared_plane, view
from core.optim.losses import MeanSquaredError

RANDOM = np.random.default_rng(0)


def quiet(done: int, total: int) -> None:
    """Progress that nobody reads."""


def linear_case(n: int = 50, features: int = 4) -> tuple[nn.Sequential, PlaneLoss, np.ndarray, np.ndarray]:
    """A linear model with squared errors: its loss is a quadratic of its weights."""
    x = RANDOM.normal(size=(n, features)).astype(np.float32)
    y = RANDOM.normal(size=n).astype(np.float32)
    model = nn.Sequential(nn.Linear(features, 1))
    return model, PlaneLoss(model, MeanSquaredError().build(), torch.from_numpy(x), torch.from_numpy(y)), x, y


@pytest.mark.parametrize(("n", "size"), [(12, 30), (40, 7), (3, 1000), (9, 200_000)])
def test_directions_and_explained_variance_are_those_of_scikit_learn(n, size):
    points = (RANDOM.normal(size=(n, size)) * np.linspace(1, 3, size)).astype(np.float32)
    plane, oracle = principal_plane(points), PCA(2, svd_solver="full").fit(points.astype(np.float64))
    np.testing.assert_allclose(plane.explained, oracle.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(plane.directions * oracle.components_, 1)), 1, atol=1e-6)
    np.testing.assert_allclose(np.abs(plane.coordinates(points)), np.abs(oracle.transform(points)), atol=1e-3)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-8)


def test_points_in_a_plane_are_had_back_from_their_places():
    basis, centre = np.linalg.qr(RANDOM.normal(size=(50, 2)))[0].T, RANDOM.normal(size=50)
    points = centre + RANDOM.normal(size=(15, 2)) * (3.0, 1.0) @ basis
    plane = principal_plane(points)
    assert plane.explained.sum() == pytest.approx(1)
    for point, place in zip(points, plane.coordinates(points), strict=True):
        np.testing.assert_allclose(plane.point(*place), point, atol=1e-9)
    np.testing.assert_allclose(plane.distances(points), 0, atol=1e-9)


def test_a_point_off_the_plane_is_told_by_its_distance():
    points = np.zeros((5, 3))
    points[:, 0], points[:, 1] = (-4, 4, -2, 2, 0), (2, 2, -2, -2, 0)
    plane = principal_plane(points)
    assert plane.distances(np.array([[1.0, 1.0, 0.5]])) == pytest.approx([0.5])


def test_points_on_a_line_get_a_second_direction_at_a_right_angle():
    plane = principal_plane(np.outer(np.arange(4.0), [1.0, 2.0, 2.0]))
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    assert plane.explained == pytest.approx([1, 0])
    x, y = view(plane.coordinates(np.outer(np.arange(4.0), [1.0, 2.0, 2.0])), 5)
    assert y[-1] - y[0] == pytest.approx(0.2 * (x[-1] - x[0]))


@pytest.mark.parametrize("points", [np.ones((4, 3)), np.arange(4.0)[:, None]], ids=["unmoved", "one weight"])
def test_what_spans_no_plane_is_refused(points):
    with pytest.raises(NotApplicable):
        principal_plane(points)


def test_ways_end_on_the_upper_right():
    plane = principal_plane(RANDOM.normal(size=(8, 20)))
    points = RANDOM.normal(size=(8, 20))
    assert (principal_plane(points).coordinates(points)[-1] >= 0).all()
    assert plane.centre.shape == (20,)


def test_the_loss_of_a_linear_model_is_its_quadratic_and_convex():
    model, loss, x, y = linear_case()
    points = RANDOM.normal(size=(10, 5))
    plane = principal_plane(points)
    axes = view(plane.coordinates(points), 9)
    found = loss_over(loss, plane, *axes, quiet)
    for row, column in ((0, 0), (3, 7), (8, 8), (4, 4)):
        weights = plane.point(axes[0][column], axes[1][row])
        errors = x.astype(float) @ weights[:4] + weights[4] - y
        assert found[row, column] == pytest.approx(np.mean(errors**2), rel=1e-5)
    for lines in (found, found.T, np.stack([np.diag(found)])):
        assert (np.diff(lines, 2, axis=1) > 0).all()
    assert len(flat_weights(model, model.state_dict())) == 5


def test_the_model_itself_is_left_alone():
    model, loss, _, _ = linear_case()
    before = flat_weights(model, model.state_dict())
    loss(np.zeros(5))
    assert np.array_equal(before, flat_weights(model, model.state_dict()))


def test_batch_normalisation_takes_the_statistics_of_the_examples():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    model[1].running_mean.fill_(100.0)
    x, y = torch.randn(32, 3), torch.randn(32)
    loss = PlaneLoss(model, MeanSquaredError().build(), x, y)
    hidden = model[0](x)
    normal = (hidden - hidden.mean(0)) / (hidden.var(0, unbiased=False) + model[1].eps).sqrt()
    expected = (model[3](normal)[:, 0] - y).square().mean().item()
    assert loss(flat_weights(model, model.state_dict())) == pytest.approx(expected, rel=1e-5)
    assert loss.is_recomputed
    assert model[1].running_mean[0] == 100.0


def test_all_lanes_are_told_with_their_own_losses_and_steps():
    _, loss, x, y = linear_case()
    ways = [
        Way(lane, name, np.arange(n, dtype=np.int64), RANDOM.normal(size=(n, 5)).astype(np.float32))
        for lane, name, n in ((0, "SGD", 4), (2, "Adam", 3))
    ]
    told: list[tuple[int, int]] = []
    found = shared_plane(ways, loss, 5, "squared error", lambda done, total: told.append((done, total)))
    assert found.loss.shape == (5, 5)
    assert (found.labels, found.lanes) == (("SGD", "Adam"), (0, 2))
    assert [len(path) for path in found.paths] == [4, 3]
    for way, losses in zip(ways, found.path_losses, strict=True):
        errors = x.astype(float) @ way.points[:, :4].T.astype(float) + way.points[:, 4] - y[:, None]
        np.testing.assert_allclose(losses, np.mean(errors**2, 0), rtol=1e-5)
    assert told[0] == (1, 32)
    assert told[-1] == (32, 32)
    inside = np.concatenate(found.paths)
    assert (inside.min(0) >= (found.x[0], found.y[0])).all()
    assert (inside.max(0) <= (found.x[-1], found.y[-1])).all()
