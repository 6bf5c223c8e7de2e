"""Likeness of explanations against scipy and sets counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from core.explanation.stability import overlap, spearman, top_k

values = st.lists(st.integers(-4, 4), min_size=3, max_size=30)


@given(values, st.randoms(use_true_random=False))
def test_rank_correlation_is_scipy_s_with_ties_too(a, random):
    b = random.sample(a, len(a))
    expected = spearmanr(a, b).statistic if len(set(a)) > 1 else 0.0
    assert spearman(np.array(a), np.array(b)) == pytest.approx(expected, abs=1e-9)


def test_a_map_that_says_the_same_everywhere_is_like_no_other():
    assert spearman(np.ones((3, 3)), np.arange(9.0).reshape(3, 3)) == 0


@pytest.mark.parametrize(
    ("a", "b", "k", "shared"),
    [
        ([9, 8, 1, 0], [9, 8, 0, 1], 2, 1.0),
        ([9, 8, 1, 0], [0, 1, 8, 9], 2, 0.0),
        ([9, 8, 7, 0], [9, 0, 7, 8], 3, 2 / 4),
        ([-9, 1, 2, 3], [9, 3, 2, 1], 1, 1.0),  # size counts, not sign
    ],
)
def test_overlap_is_shared_over_all_among_the_largest(a, b, k, shared):
    assert overlap(np.array(a), np.array(b), k) == pytest.approx(shared)


@pytest.mark.parametrize(
    ("n", "are_pixels", "k"), [(784, True, 78), (40, False, 5), (6, False, 3), (2, False, 1), (1, False, 1)]
)
def test_as_many_parts_are_compared_as_can_differ(n, are_pixels, k):
    assert top_k(n, are_pixels=are_pixels) == k
