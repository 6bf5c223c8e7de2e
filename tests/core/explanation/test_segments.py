"""Superpixels: labels are contiguous, and hard pictures get a grid."""

import numpy as np
import pytest

from core.explanation.segments import FEWEST, grid, superpixels


@pytest.mark.parametrize("channels", [None, 3])
@pytest.mark.parametrize("side", [8, 16, 28, 40])
@pytest.mark.parametrize("n_segments", [4, 9, 49, 100])
def test_labels_run_from_0_without_holes(channels, side, n_segments):
    rng = np.random.default_rng(0)
    picture = rng.random((side, side) if channels is None else (side, side, channels))
    labels = superpixels(picture, n_segments)
    assert labels.shape == (side, side)
    assert labels.dtype == np.int32
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
    assert min(FEWEST, n_segments) <= labels.max() + 1 <= 2 * n_segments


def test_a_patch_follows_an_edge_of_the_picture():
    picture = np.zeros((28, 28))
    picture[5:19, 10:22] = 1
    labels = superpixels(picture, 49)
    pure = [len(np.unique(picture[labels == label])) == 1 for label in range(labels.max() + 1)]
    cut = [len(np.unique(picture[grid((28, 28), 49) == label])) == 1 for label in range(49)]
    assert np.mean(pure) > np.mean(cut)


def test_a_picture_of_8_by_8_gets_16_cells_of_4_pixels():
    assert np.array_equal(superpixels(np.zeros((8, 8)), 49), grid((8, 8), 49))
    assert np.bincount(grid((8, 8), 49).ravel()).tolist() == [4] * 16


def test_a_grid_covers_sides_that_do_not_divide():
    cells = grid((28, 30), 49)
    assert cells.max() + 1 == 49
    assert np.bincount(cells.ravel()).min() >= 16
