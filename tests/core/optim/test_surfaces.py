"""Surfaces against torch.autograd, finite differences and what is known of their minima."""

import numpy as np
import pytest
import torch

from core.errors import SpecError
from core.optim.surfaces import AnySurface, Himmelblau, Quadratic, Ravine, Rosenbrock, SurfaceTask
from core.spec import choices

SURFACES = [cls() for cls in choices(AnySurface)] + [Quadratic(condition=300, angle=-70), Ravine(steepness=20, angle=25)]
IDS = [f"{surface.kind}-{k}" for k, surface in enumerate(SURFACES)]
X, Y = torch.tensor([0.3, -1.7]).double(), torch.tensor([-0.8, 1.1]).double()
FORMULAS = {
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "beale": lambda x, y: sum((c - x + x * y**k) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))),
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "saddle": lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 4,
    "ravine": lambda x, y: x**2 / 20 + torch.sqrt(1 + 25 * y**2) - 1,
    "rastrigin": lambda x, y: sum(10 + t**2 - 10 * torch.cos(2 * torch.pi * t) for t in (x, y)),
}


def places(surface, n: int = 200) -> np.ndarray:
    """(2, n) places all over the window."""
    random = np.random.default_rng(0)
    return np.array(surface.centre)[:, None] + surface.half * random.uniform(-1, 1, (2, n))


@pytest.mark.parametrize("kind", FORMULAS)
def test_value_and_gradient_are_those_of_the_formula_in_torch(kind):
    surface = next(surface for surface in SURFACES if surface.kind == kind)
    x, y = (torch.tensor(one, requires_grad=True) for one in places(surface))
    value = FORMULAS[kind](x, y)
    gradient = torch.autograd.grad(value.sum(), (x, y))
    at = x.detach().numpy(), y.detach().numpy()
    np.testing.assert_allclose(surface.value(*at), value.detach(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(surface.gradient(*at), torch.stack(gradient), rtol=1e-10, atol=1e-10)


def test_a_turned_quadratic_is_the_form_of_its_matrix():
    turn = np.array([[np.cos(np.pi / 6), -np.sin(np.pi / 6)], [np.sin(np.pi / 6), np.cos(np.pi / 6)]])
    matrix = turn @ np.diag([1.0, 50.0]) @ turn.T
    surface = Quadratic(condition=50, angle=30)
    at = places(surface)
    np.testing.assert_allclose(surface.value(*at), 0.5 * np.einsum("in,ij,jn->n", at, matrix, at), rtol=1e-10)
    np.testing.assert_allclose(surface.gradient(*at), matrix @ at, rtol=1e-9, atol=1e-9)
    assert surface.stable_below() == pytest.approx(2 / np.linalg.eigvalsh(matrix).max())


@pytest.mark.parametrize("surface", SURFACES, ids=IDS)
def test_the_gradient_is_what_finite_differences_say(surface):
    x, y = places(surface)
    h = 1e-6
    by_x = (surface.value(x + h, y) - surface.value(x - h, y)) / (2 * h)
    by_y = (surface.value(x, y + h) - surface.value(x, y - h)) / (2 * h)
    scale = np.abs(surface.gradient(x, y)).max()
    np.testing.assert_allclose(surface.gradient(x, y), (by_x, by_y), rtol=1e-5, atol=1e-7 * scale)


@pytest.mark.parametrize("surface", SURFACES, ids=IDS)
def test_minima_are_the_lowest_places_and_flat(surface):
    around = 1e-3 * np.stack([np.cos(np.arange(12)), np.sin(np.arange(12))])
    for minimum in surface.minima:
        assert surface.holds(minimum)
        assert surface.value(*minimum) == pytest.approx(surface.lowest, abs=1e-20)
        np.testing.assert_allclose(surface.gradient(*minimum), 0, atol=1e-11)
        assert (surface.value(*(np.array(minimum)[:, None] + around)) > surface.lowest).all()
    assert (surface.value(*places(surface, 10_000)) >= surface.lowest).all()


@pytest.mark.parametrize("surface", SURFACES, ids=IDS)
def test_the_usual_start_is_in_the_window_and_not_at_a_minimum(surface):
    assert surface.holds(surface.start)
    assert surface.value(*surface.start) > surface.lowest + 0.1


def test_himmelblau_has_four_minima_of_equal_depth_apart_from_each_other():
    assert len({tuple(np.round(minimum, 3)) for minimum in Himmelblau.minima}) == 4


def test_what_lies_outside_of_the_window_is_not_on_the_surface():
    assert Rosenbrock().holds((-2.0, 3.0))
    assert not Rosenbrock().holds((0.0, 3.1))
    assert not Rosenbrock().holds((float("nan"), 1.0))


def test_a_task_goes_back_to_the_usual_start_and_refuses_what_is_no_number():
    task = SurfaceTask(surface=Himmelblau(), start=(1.0, 2.0), noise=3.0)
    assert task.usual() == SurfaceTask(surface=Himmelblau(), start=Himmelblau.start, noise=3.0)
    with pytest.raises(SpecError, match="start"):
        task.but(start=(float("inf"), 0.0))
