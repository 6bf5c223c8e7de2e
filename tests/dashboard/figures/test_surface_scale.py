"""Contours: round numbers, spaced by powers of ten where losses span decades, and heights that keep the order of losses."""

import numpy as np
import pytest

from core.optim.surfaces import AnySurface, Quadratic, Rastrigin, Rosenbrock
from core.spec import choices
from dashboard.figures.surface import MOST, scale_of


def losses(surface, half: float | None = None) -> np.ndarray:
    axis = np.linspace(-1, 1, 61) * (half or surface.half)
    x, y = np.meshgrid(surface.centre[0] + axis, surface.centre[1] + axis)
    return surface.value(x, y) - surface.lowest


@pytest.mark.parametrize("cls", choices(AnySurface))
@pytest.mark.parametrize("half", [None, 0.01, 30.0])
def test_every_surface_gets_some_round_levels_within_its_losses(cls, half):
    found = losses(cls(), half)
    levels = scale_of(found).levels
    assert 2 <= len(levels) <= MOST
    assert (np.diff(levels) > 0).all()
    assert levels[-1] <= found.max() * 1.001 or len(levels) == 2
    parts = levels if scale_of(found).is_log else np.diff(levels)
    assert {f"{part:.4e}".split("e")[0] for part in parts} <= {"1.0000", "2.0000", "3.0000", "5.0000"}
    if not scale_of(found).is_log:
        np.testing.assert_allclose(levels / parts[0], np.rint(levels / parts[0]), rtol=1e-9)


def test_levels_are_spaced_by_powers_of_ten_only_where_losses_span_decades():
    assert scale_of(losses(Rosenbrock())).is_log
    assert scale_of(losses(Quadratic(condition=1000))).is_log
    even = scale_of(losses(Rastrigin()))
    assert not even.is_log
    np.testing.assert_allclose(np.diff(even.levels), even.levels[1] - even.levels[0])


@pytest.mark.parametrize("surface", [Rosenbrock(), Rastrigin()])
def test_level_k_lies_at_height_k_plus_one_and_more_loss_is_never_lower(surface):
    found = losses(surface)
    scale = scale_of(found)
    np.testing.assert_allclose(scale.heights(scale.levels), np.arange(1, len(scale.levels) + 1))
    along = scale.heights(np.sort(found.ravel()))
    assert (np.diff(along) >= 0).all()
    assert along[0] >= 0
    assert along[-1] <= len(scale.levels) + 1
    assert np.isnan(scale.heights(np.array([np.nan]))[0])


def test_a_plane_without_any_loss_can_be_drawn_too():
    scale = scale_of(np.zeros((5, 5)))
    assert (scale.heights(np.zeros((5, 5))) == 0).all()
