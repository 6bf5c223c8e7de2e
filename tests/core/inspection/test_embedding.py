"""The common basis is scikit-learn's PCA, trust is Venna and Kaski's measure, alignment undoes turns and mirrors."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import pairwise_distances

from core.errors import NotApplicable
from core.inspection.embedding import (
    EXACT_FEATURES,
    aligned,
    common_basis,
    in_dimensions,
    neighbors_looked_at,
    share_seen,
    trust,
)


def cloud(n: int, f: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, f)) * np.geomspace(8, 0.1, f) + rng.normal(size=f)).astype(np.float32)


@pytest.mark.parametrize("f", [5, EXACT_FEATURES + 40])
def test_the_common_basis_is_the_pca_of_all_moments_each_around_its_mean(f):
    moments = [cloud(60, f, 1), 3 * cloud(60, f, 2) + 100]
    basis = common_basis(moments, 3, seed=0)
    around = [(moment - moment.mean(0)).astype(np.float64) for moment in moments]
    wanted = PCA(3, svd_solver="full").fit(np.concatenate(around))
    for moment, theirs in zip(moments, map(wanted.transform, around), strict=True):
        ours = basis.places(moment)
        signs = np.sign((ours * theirs).sum(0))
        np.testing.assert_allclose(ours * signs, theirs, atol=2e-3)
    np.testing.assert_allclose(basis.explained, wanted.explained_variance_ratio_, rtol=1e-4)


def test_what_all_examples_do_together_changes_nothing():
    moment = cloud(40, 6)
    still, drifting = common_basis([moment, moment], 2, 0), common_basis([moment, moment + 50], 2, 0)
    np.testing.assert_allclose(still.places(moment), drifting.places(moment + 50), atol=1e-3)
    np.testing.assert_allclose(still.explained, drifting.explained, rtol=1e-3)


def test_a_layer_that_gives_the_same_for_all_has_no_basis():
    with pytest.raises(NotApplicable, match="gives the same"):
        common_basis([np.ones((20, 4), np.float32)], 2, seed=0)


def test_a_layer_of_one_unit_is_drawn_along_a_line():
    moment = cloud(30, 1)
    basis = common_basis([moment], 2, seed=0)
    places = in_dimensions(basis.places(moment), 2)
    assert places.shape == (30, 2)
    assert not places[:, 1].any()
    assert share_seen(moment, places) == pytest.approx(1.0)


def test_the_share_seen_is_the_explained_variance_where_there_is_one_moment():
    moment = cloud(80, 6)
    basis = common_basis([moment], 2, seed=0)
    assert share_seen(moment, basis.places(moment)) == pytest.approx(basis.explained.sum(), rel=1e-5)


def test_trust_is_that_of_scikit_learn_and_shared_neighbours_are_counted():
    points, drawn, k = cloud(50, 7), cloud(50, 2, 5), 4
    drawn[:, 0] += points[:, 0]
    found, shared = trust(points, drawn, k)
    assert found == trustworthiness(points, drawn, n_neighbors=k)
    orders = [np.argsort(pairwise_distances(one), axis=1)[:, 1 : k + 1] for one in (points, drawn)]
    counts = [len(set(a) & set(b)) for a, b in zip(*orders, strict=True)]
    assert shared == pytest.approx(np.mean(counts) / k)


def test_a_picture_of_the_points_themselves_is_perfectly_trustworthy():
    points = cloud(30, 2)
    assert trust(points, points * 7 + 1, 5) == (1.0, 1.0)


def test_where_nothing_differs_there_is_nothing_to_trust():
    assert np.isnan(trust(np.ones((20, 3)), cloud(20, 2), 5)).all()


@pytest.mark.parametrize("n", [8, 9, 24, 25, 26, 500])
def test_neighbours_looked_at_are_below_half_of_the_points(n):
    assert neighbors_looked_at(n) < n / 2
    assert trust(cloud(n, 3), cloud(n, 2), neighbors_looked_at(n))[0] > 0


@pytest.mark.parametrize("d", [2, 3])
def test_alignment_undoes_turn_mirror_size_and_place(d):
    reference = cloud(40, d)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(d, d)))
    moved = 5 * reference @ turn + 2
    expected = reference - reference.mean(0)
    expected /= np.sqrt((expected**2).sum(1).mean())
    np.testing.assert_allclose(aligned(moved, reference), expected, atol=1e-5)


def test_alignment_has_the_least_squares_of_all_turns():
    points, reference = aligned(cloud(40, 2), cloud(40, 2)), aligned(cloud(40, 2, 9), cloud(40, 2, 9))
    ours = aligned(points, reference)
    best = ((ours - reference) ** 2).sum()
    for mirror in (1, -1):
        for angle in np.linspace(0, 2 * np.pi, 60):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, mirror])
            assert ((points @ turn - reference) ** 2).sum() >= best - 1e-6
