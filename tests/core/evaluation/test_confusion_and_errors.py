"""Confusion matrices against scikit-learn, and galleries of errors recomputed by numpy."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.results.confusion import (
    changed_cell,
    confusion,
    confusion_counts,
    most_confused,
    never_predicted,
    normalised,
)
from core.results.error_gallery import absolute_errors, behind_cell, furthest_off, telling, top_classes
from core.results.predictions import Predictions

RNG = np.random.default_rng(3)
NAMES = ("a", "b", "c", "d")


def said(n: int = 80, n_classes: int = 4, *, absent: int | None = None) -> Predictions:
    logits = RNG.normal(size=(n, n_classes))
    if absent is not None:
        logits[:, absent] = -50
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return Predictions("test", 0, NAMES[:n_classes], RNG.integers(0, n_classes, n), log_probabilities=log_p)


@pytest.mark.parametrize("n", [0, 1, 80])
def test_counts_are_those_of_sklearn(n):
    found = said(n)
    ours = confusion_counts(found.labels, found.predicted, 4)
    theirs = confusion_matrix(found.labels, found.predicted, labels=range(4)) if n else np.zeros((4, 4))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(confusion(found), ours)


@pytest.mark.parametrize(("by", "theirs"), [("true", "true"), ("predicted", "pred")])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_shares_are_those_of_sklearn_also_for_a_class_that_is_never_predicted(by, theirs):
    found = said(absent=2)
    expected = confusion_matrix(found.labels, found.predicted, labels=range(4), normalize=theirs)
    np.testing.assert_allclose(normalised(confusion(found), by), expected)
    assert never_predicted(confusion(found)) == (2,)


def test_the_most_confused_pairs_are_the_largest_cells_off_the_diagonal():
    counts = np.array([[9, 0, 3], [5, 9, 0], [0, 0, 9]])
    assert most_confused(counts, 5) == ((1, 0, 5), (0, 2, 3))


def test_what_is_behind_a_cell_is_recomputed_by_numpy():
    found = said()
    sure = found.probabilities.max(1)
    for true, predicted in ((0, 1), (2, 2)):
        wanted = np.flatnonzero((found.labels == true) & (found.probabilities.argmax(1) == predicted))
        ours = behind_cell(found, true, predicted)
        np.testing.assert_array_equal(np.sort(ours), wanted)
        assert (np.diff(sure[ours]) <= 0).all()


def test_telling_examples_are_recomputed_by_numpy():
    found = said()
    sure, is_right = found.probabilities.max(1), found.probabilities.argmax(1) == found.labels
    wrong, right = np.flatnonzero(~is_right), np.flatnonzero(is_right)
    np.testing.assert_array_equal(telling(found, "confident_errors"), wrong[np.argsort(-sure[wrong])])
    np.testing.assert_array_equal(telling(found, "unsure_errors"), wrong[np.argsort(sure[wrong])])
    np.testing.assert_array_equal(telling(found, "unsure_hits"), right[np.argsort(sure[right])])
    within = np.arange(0, 80, 2)
    np.testing.assert_array_equal(np.sort(telling(found, "unsure_hits", within)), np.intersect1d(right, within))


def test_the_top_classes_of_an_example_are_sorted_by_probability():
    found = said()
    (first, p), (_second, q) = top_classes(found, 7, 2)
    assert (first, p) == (found.predicted[7], pytest.approx(found.probabilities[7].max()))
    assert p >= q


def test_numbers_are_sorted_by_how_far_off_they_are():
    found = Predictions("test", 0, (), np.full(3, -1), values=np.array([1.0, 5.0, 2.0]), targets=np.array([1.5, 1.0, 2.0]))
    np.testing.assert_allclose(absolute_errors(found), [0.5, 4.0, 0.0])
    np.testing.assert_array_equal(furthest_off(found), [1, 0, 2])
    np.testing.assert_array_equal(furthest_off(found, np.array([2, 0])), [0, 2])


def test_what_one_model_has_in_a_cell_and_the_other_has_not():
    one, two = said(), said()
    other = Predictions("test", 0, NAMES, one.labels, log_probabilities=two.log_probabilities)
    mine, theirs = changed_cell(one, other, (1, 3))
    in_one, in_other = set(behind_cell(one, 1, 3).tolist()), set(behind_cell(other, 1, 3).tolist())
    assert (set(mine.tolist()), set(theirs.tolist())) == (in_one - in_other, in_other - in_one)
