"""What is said of two models agrees with the numbers behind it."""

import numpy as np
import pytest

from core.experiment.comparison_words import (
    Figure,
    amount,
    by_examples,
    corrected,
    method_sentences,
    paired,
    verdict_sentences,
)
from core.metrics.comparison import folds_comparison, mcnemar
from core.metrics.statistics import n_needed, paired_comparison

ACCURACY, LOSS = Figure("validation accuracy"), Figure("validation loss", is_lower_better=True, unit="number")
RNG = np.random.default_rng(3)


def told(one, n=1):
    return " ".join(str(sentence) for sentence in (*verdict_sentences(one, n), *method_sentences(one, n)))


def over_seeds(a, b, figure=ACCURACY, n=1):
    tests = [paired("A", "B", figure, "seeds", paired_comparison(a, b))] * n
    return corrected(tests)[0]


def test_a_clear_lead_is_told_with_points_interval_and_p():
    a = np.array([0.91, 0.92, 0.93, 0.92, 0.91])
    one = over_seeds(a, a - [0.011, 0.012, 0.013, 0.012, 0.012])
    text = told(one)
    assert "A is better than B by 1.2 points of validation accuracy (95 % interval 1.1 to 1.3), p < 0.001." in text
    assert "Paired t test over 5 seeds" in text
    assert "seeds would" not in text


def test_of_losses_the_lower_one_leads_and_its_interval_is_turned():
    a = np.array([0.50, 0.52, 0.51])
    text = told(over_seeds(a, a - [0.10, 0.12, 0.11], LOSS))
    assert "B is better than A by 0.11 of validation loss (95 % interval 0.0852 to 0.135)" in text


def test_within_the_noise_the_seeds_that_would_tell_are_those_of_n_needed():
    differences = np.array([0.02, -0.001, 0.03, 0.004])
    one = over_seeds(differences + 0.9, np.full(4, 0.9))
    n = n_needed(one.difference.mean, one.spread)
    assert 4 < n <= 16
    text = told(one)
    assert "The difference is within the noise: A is ahead of B by 1.3 points" in text
    assert f"about {n} seeds would show it" in text


def test_hopeless_differences_are_called_equal():
    assert "take the two as equal here" in told(over_seeds([0.9, 0.8, 0.901], [0.8, 0.9, 0.9]))
    same = told(over_seeds([0.9, 0.8], [0.9, 0.8]))
    assert "exactly alike" in same


def test_among_several_tests_a_lead_may_not_be_sure():
    differences = np.array([0.02, 0.03, 0.01, 0.05])
    lead = paired("A", "B", ACCURACY, "seeds", paired_comparison(differences, np.zeros(4)))
    others = [paired("A", name, ACCURACY, "seeds", paired_comparison(differences, differences[::-1])) for name in "CDE"]
    one = corrected([lead, *others])[0]
    assert one.p < 0.05 < one.p_corrected
    assert one.p_corrected == pytest.approx(4 * one.p)
    text = told(one, 4)
    assert "among 4 comparisons it is not sure" in text
    assert "corrected for 4 comparisons (Holm 1979)" in text


def test_folds_are_told_with_their_own_test():
    values = RNG.normal(0.9, 0.02, (2, 5))
    text = told(corrected([paired("A", "B", ACCURACY, "folds", folds_comparison(*values, 0.25))])[0])
    assert "Corrected resampled t test over 5 folds" in text


def test_mcnemar_tells_who_alone_was_right_and_how_many_examples_would_tell():
    first = np.repeat([True, True, False], [90, 6, 4])
    second = np.repeat([True, False, True], [90, 6, 4])
    one = corrected([by_examples("A", "B", mcnemar(first, second))])[0]
    text = told(one)
    assert "6 that only A gets right, 4 that only B gets right" in text
    assert "within the noise: A is ahead of B by 2 points of accuracy" in text
    assert "test examples would show it" in text


def test_too_few_pairs_are_no_comparison():
    assert "too little in common" in told(over_seeds([0.9], [0.8]))


@pytest.mark.parametrize(("value", "words"), [(0.0123, "1.2 points"), (0.25, "25 points"), (0.0004, "0.04 points")])
def test_shares_are_told_in_points(value, words):
    assert amount(value, "share") == words
