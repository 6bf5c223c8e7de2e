"""Figures of the section Metrics, by their data."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.metrics import Resampling, evaluation
from core.metrics.thresholds import decisions
from core.results.predictions import Predictions
from dashboard.figures.evaluate_calibration import alt_reliability, reliability_figure
from dashboard.figures.evaluate_curves import MOST, alt_pr, alt_roc, pr_figure, roc_figure
from dashboard.figures.evaluate_residuals import (
    alt_predicted,
    alt_residuals,
    drawn,
    predicted_figure,
    residual_figure,
    residual_histogram,
)
from dashboard.figures.evaluate_thresholds import alt_costs, cost_figure

QUICK = Resampling(n=10)


def classes(n=120, k=8, seed=0, present=None):
    rng = np.random.default_rng(seed)
    labels = rng.choice(present or k, n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), labels] += 1
    names = tuple(f"class <{i}>" for i in range(k))
    found = Predictions("test", 7, names, labels, log_probabilities=logits - np.log(np.exp(logits).sum(1, keepdims=True)))
    return evaluation(found, found, QUICK)


def numbers(n=50):
    rng = np.random.default_rng(1)
    targets = rng.normal(size=n) * 10
    said = Predictions(
        "test", 7, (), np.full(n, -1), values=targets + rng.normal(size=n), targets=targets, target_name="cost <€>"
    )
    return evaluation(said, said, QUICK)


FOUND, NUMBERS = classes(), numbers()


@pytest.mark.parametrize("dark", [False, True])
def test_roc_curves_are_those_of_the_chosen_classes_and_their_mean(dark):
    figure = roc_figure(FOUND, [4, 2], dark=dark)
    chance, four, two, mean = figure.data
    assert (chance.x, chance.y) == ((0, 1), (0, 1))
    np.testing.assert_array_equal(np.stack([four.x, four.y]), FOUND.roc_of(4))
    np.testing.assert_array_equal(np.stack([two.x, two.y]), FOUND.roc_of(2))
    np.testing.assert_array_equal(np.stack([mean.x, mean.y]), FOUND.macro_roc)
    assert four.name == f"class &lt;4>: area {FOUND.by_class[4, 3]:.3f}"
    assert f"{FOUND.value('auc'):.3f}" in mean.name
    assert four.line.dash != two.line.dash
    assert f"class <2> {FOUND.by_class[2, 3]:.3f}" in alt_roc(FOUND, [4, 2])
    assert len(roc_figure(FOUND, [4], macro=False).data) == 2


def test_no_more_classes_are_drawn_than_there_are_colours():
    assert len(roc_figure(FOUND, range(8)).data) == 1 + MOST + 1


def test_precision_curves_come_with_the_share_of_their_class():
    figure = pr_figure(FOUND, [3])
    chance, curve = figure.data
    assert chance.y[0] == pytest.approx(FOUND.support[3] / FOUND.n)
    np.testing.assert_array_equal(np.stack([curve.x, curve.y]), FOUND.pr_of(3))
    steps = np.diff(curve.x, prepend=0) * curve.y  # as the drawn steps: the area is the average precision
    assert steps.sum() == pytest.approx(FOUND.by_class[3, 4])
    assert f"{FOUND.by_class[3, 4]:.3f}" in alt_pr(FOUND, [3])


def test_a_class_without_a_curve_is_left_out_and_without_any_a_sentence_stands_there():
    some = classes(present=[0, 1])
    assert len(pr_figure(some, [0, 5]).data) == 2
    one = classes(present=[3])
    assert "there is no curve" in roc_figure(one, [0, 3]).layout.annotations[0].text
    assert pr_figure(one, [3]).layout.annotations
    assert alt_roc(one, [3]) == "No curves."


@pytest.mark.parametrize("dark", [False, True])
def test_the_reliability_diagram_has_a_point_and_a_bar_per_bin_that_is_not_empty(dark):
    figure = reliability_figure(FOUND, dark=dark)
    _diagonal, line, bars, scaled, scaled_bars = figure.data
    there = FOUND.bin_counts[0] > 0
    np.testing.assert_array_equal(line.x, FOUND.bin_confidence[0][there])
    np.testing.assert_array_equal(line.y, FOUND.bin_accuracy[0][there])
    np.testing.assert_array_equal(bars.y, FOUND.bin_counts[0])
    assert sum(bars.y) == sum(scaled_bars.y) == FOUND.n
    assert len(scaled.x) == (FOUND.bin_counts[1] > 0).sum()
    assert f"{FOUND.value('ece'):.1%}" in alt_reliability(FOUND)


def test_the_cost_curve_marks_the_chosen_and_the_cheapest_threshold():
    found = decisions(np.array([0.9, 0.6, 0.4, 0.2]), np.array([True, False, True, False]))
    chosen, cheapest = found.at(0.5), found.cheapest(1, 4)
    figure = cost_figure(
        found.curve(1, 4), (0.5, chosen.cost(1, 4)), (cheapest.threshold, cheapest.cost(1, 4)), positive="sick"
    )
    curve, dot, star = figure.data
    assert (dot.x, dot.y) == ((0.5,), (1.25,))  # one false alarm, one missed: (1 + 4) / 4
    assert (star.x, star.y) == ((pytest.approx(0.3),), (0.25,))
    assert min(curve.y) == 0.25
    assert "sick" in figure.layout.xaxis.title.text
    assert "1.25 at the chosen 0.50" in alt_costs(chosen, cheapest, 1, 4)


def test_a_threshold_above_every_probability_is_drawn_at_1_and_told_in_words():
    found = decisions(np.array([1.0, 1.0]), np.array([False, False]))
    cheapest = found.cheapest(1, 1)
    assert cheapest.threshold == np.inf
    assert cost_figure(found.curve(1, 1), (0.5, 1.0), (cheapest.threshold, 0.0), positive="x").data[2].x == (1.0,)
    assert "more than 1" in alt_costs(found.at(0.5), cheapest, 1, 1)


@pytest.mark.parametrize("dark", [False, True])
def test_residuals_are_true_minus_predicted(dark):
    scatter = residual_figure(NUMBERS, dark=dark).data[0]
    np.testing.assert_array_equal(scatter.x, NUMBERS.predicted)
    np.testing.assert_array_equal(scatter.y, NUMBERS.targets - NUMBERS.predicted)
    both = predicted_figure(NUMBERS, dark=dark)
    np.testing.assert_array_equal(both.data[0].x, NUMBERS.targets)
    assert both.layout.xaxis.title.text == "true cost &lt;€>"
    bars = residual_histogram(NUMBERS, dark=dark).data[0]
    assert sum(bars.y) == 50
    assert f"{NUMBERS.value('mae'):.4g}" in alt_predicted(NUMBERS)
    assert f"{NUMBERS.residuals.min():.4g}" in alt_residuals(NUMBERS)


def test_of_very_many_examples_some_are_drawn():
    many = replace(NUMBERS, targets=np.arange(4500.0), predicted=np.zeros(4500))
    assert drawn(many).tolist() == list(range(0, 4500, 3))
