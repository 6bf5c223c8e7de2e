"""Localisation against scikit-learn and masks that are counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from core.explanation.localisation import localisation

pixels = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40)


@given(pixels)
def test_the_roc_area_is_scikit_learn_s_with_ties_too(pairs):
    values, mask = np.array([value for value, _ in pairs], float), np.array([is_in for _, is_in in pairs])
    found = localisation(values, mask)
    if mask.all() or not mask.any():
        assert found is None
        return
    assert found.roc_auc == pytest.approx(roc_auc_score(mask, values))
    assert found.share == mask.mean()


def test_a_map_by_hand():
    values = np.array([[5.0, 3.0, -4.0], [1.0, 2.0, 0.0]])
    mask = np.array([[True, False, True], [False, True, False]])
    found = localisation(values, mask)
    assert found.pointing
    assert found.mass == pytest.approx((5 + 2) / (5 + 3 + 1 + 2))
    assert found.rank_accuracy == pytest.approx(2 / 3)  # 5, 3, 2 are the strongest three
    assert found.share == pytest.approx(1 / 2)


def test_the_evidence_itself_is_perfect_and_its_opposite_is_all_wrong():
    mask = np.zeros((6, 6), bool)
    mask[1:3, 2:5] = True
    best, worst = localisation(mask.astype(float), mask), localisation(-mask.astype(float), mask)
    assert (best.pointing, best.mass, best.rank_accuracy, best.roc_auc) == (True, 1, 1, 1)
    assert (worst.pointing, worst.mass, worst.rank_accuracy, worst.roc_auc) == (False, 0, 0, 0)


@pytest.mark.parametrize(("n_inside", "is_right"), [(1, False), (2, True), (4, True)])
def test_a_patch_points_right_when_most_of_it_is_evidence(n_inside, is_right):
    values, mask = np.zeros((4, 4)), np.zeros((4, 4), bool)
    values[:2, :2] = 7
    mask[:2, :2].flat[:n_inside] = True
    assert localisation(values, mask).pointing is is_right


def test_a_map_that_says_the_same_everywhere_is_at_the_level_of_chance():
    mask = np.arange(20) < 5
    found = localisation(np.full(20, 2.0), mask)
    assert (found.mass, found.rank_accuracy, found.roc_auc) == (0.25, pytest.approx(0.25), pytest.approx(0.5))
    assert not found.pointing


def test_random_maps_are_at_the_level_of_chance_in_the_mean():
    rng = np.random.default_rng(0)
    mask = rng.random((20, 20)) < 0.1
    found = [localisation(rng.standard_normal((20, 20)), mask) for _ in range(200)]
    for name, chance in (("mass", mask.mean()), ("rank_accuracy", mask.mean()), ("roc_auc", 0.5), ("pointing", mask.mean())):
        got = np.array([float(getattr(one, name)) for one in found])
        assert got.mean() == pytest.approx(chance, abs=4 * got.std() / 200**0.5)
