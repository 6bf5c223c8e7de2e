"""Figures of classification against scikit-learn and torchmetrics, on random and on degenerate predictions."""

import math
import warnings

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.metrics.classification import AVERAGES, brier_scores, by_class, headline, hits_within, log_losses, shown_ks
from core.metrics.curves import class_curves, macro_roc, thinned
from core.metrics.resampling import AreaFigures, ClassFigures
from core.metrics.thresholds import decisions


def case(n, k, seed=0, *, classes=None, says=None, sharpness=1.5, coarse=False):
    """Labels and log-probabilities; `classes` that are there, `says` the only classes that are predicted."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.arange(k) if classes is None else np.array(classes), n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), labels] += sharpness
    if coarse:
        logits = np.round(logits)
    if says is not None:
        logits[:, says] += 20
    return labels, np.asarray(torch.from_numpy(logits).log_softmax(1))


CASES = {
    "two classes": case(80, 2),
    "ten classes": case(200, 10),
    "twenty classes, some missing": case(60, 20, classes=[0, 3, 4, 19]),
    "ties": case(90, 4, coarse=True),
    "one class only": case(30, 3, classes=[1]),
    "a class never predicted": case(60, 3, says=[0, 2]),
    "always the same answer": case(40, 3, says=[2]),
    "all equal": (np.array([0, 1, 2, 1]), np.full((4, 3), -math.log(3))),
    "perfect": case(50, 3, sharpness=40),
    "all wrong": (np.array([0, 1, 0]), np.log([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])),
    "one example": case(1, 3),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def found(request):
    return request.param


def test_figures_are_those_of_scikit_learn(found):
    labels, log_p = found
    predicted, p = log_p.argmax(1), np.exp(log_p)
    ours = headline(labels, log_p)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where we settle the case in words
        assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
        assert ours["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
        assert ours["mcc"] == pytest.approx(metrics.matthews_corrcoef(labels, predicted))
        assert ours["log_loss"] == pytest.approx(metrics.log_loss(labels, p, labels=range(p.shape[1])))
        for average in AVERAGES:
            three = metrics.precision_recall_fscore_support(labels, predicted, average=average)[:3]
            assert [ours[f"{name}_{average}"] for name in ("precision", "recall", "f1")] == pytest.approx(list(three))
        expected = metrics.brier_score_loss(labels, p, labels=range(p.shape[1])) if p.shape[1] > 2 else None
    if expected is not None:
        assert ours["brier"] == pytest.approx(expected)
    else:
        assert ours["brier"] == pytest.approx(np.mean((p[:, 1] - labels) ** 2))


def test_figures_are_those_of_torchmetrics(found):
    labels, log_p = found
    k = log_p.shape[1]
    target, p = torch.from_numpy(labels), torch.from_numpy(np.exp(log_p))
    ours = headline(labels, log_p)
    assert ours["accuracy"] == pytest.approx(float(theirs.multiclass_accuracy(p, target, k, average="micro")))
    for average in AVERAGES:
        for name, function in (
            ("precision", theirs.multiclass_precision),
            ("recall", theirs.multiclass_recall),
            ("f1", theirs.multiclass_f1_score),
        ):
            assert ours[f"{name}_{average}"] == pytest.approx(float(function(p, target, k, average=average)), abs=1e-6)
    if k < 20 and len(np.unique(labels)) > 1:  # its answer for one class is another convention
        assert ours["mcc"] == pytest.approx(float(theirs.multiclass_matthews_corrcoef(p, target, k)), abs=1e-6)


@pytest.mark.parametrize("k", [3, 5])
def test_top_k_is_that_of_torchmetrics_and_contains_top_1(k):
    labels, log_p = CASES["ten classes"]
    ours = headline(labels, log_p)
    expected = theirs.multiclass_accuracy(torch.from_numpy(log_p), torch.from_numpy(labels), 10, top_k=k, average="micro")
    assert ours[f"top_{k}"] == pytest.approx(float(expected))
    assert ours["accuracy"] <= ours["top_3"] <= ours["top_5"]


def test_top_k_is_there_where_it_says_something():
    assert [shown_ks(n) for n in (2, 3, 4, 5, 6)] == [(), (), (3,), (3,), (3, 5)]


def test_the_first_of_equal_classes_is_the_predicted_one_for_top_k_too(found):
    labels, log_p = found
    np.testing.assert_array_equal(hits_within(labels, log_p, 1), log_p.argmax(1) == labels)


def test_the_log_loss_of_a_certain_error_is_not_cut_off():
    log_p = np.array([[0.0, -700.0]])
    assert log_losses(np.array([1]), log_p) == [700.0]
    assert brier_scores(np.array([1]), log_p) == pytest.approx([1.0])


def test_undefined_figures_of_a_class_are_nan_and_the_others_scikit_learns(found):
    labels, log_p = found
    predicted, k = log_p.argmax(1), log_p.shape[1]
    scores, support, n_predicted = by_class(labels, predicted, k)
    np.testing.assert_array_equal(support, np.bincount(labels, minlength=k))
    np.testing.assert_array_equal(np.isnan(scores[:, 0]), n_predicted == 0)
    np.testing.assert_array_equal(np.isnan(scores[:, 1]), support == 0)
    np.testing.assert_array_equal(np.isnan(scores[:, 2]), (support == 0) & (n_predicted == 0))
    three = metrics.precision_recall_fscore_support(labels, predicted, labels=range(k), zero_division=0)[:3]
    np.testing.assert_allclose(np.nan_to_num(scores), np.stack(three, 1))


def test_areas_of_each_class_are_those_of_scikit_learn_and_torchmetrics(found):
    labels, log_p = found
    for k in range(log_p.shape[1]):
        is_positive = labels == k
        curves = class_curves(log_p[:, k], is_positive)
        if is_positive.all() or not is_positive.any():
            assert math.isnan(curves.auc)
            assert math.isnan(curves.average_precision)
            assert (curves.roc.shape, curves.pr.shape) == ((2, 0), (2, 0))
            continue
        assert curves.auc == pytest.approx(metrics.roc_auc_score(is_positive, log_p[:, k]))
        target, p = torch.from_numpy(is_positive).long(), torch.from_numpy(np.exp(log_p[:, k]))
        assert curves.auc == pytest.approx(float(theirs.binary_auroc(p, target)), abs=1e-5)
        assert curves.average_precision == pytest.approx(float(theirs.binary_average_precision(p, target)), abs=1e-5)
        assert curves.roc[:, 0].tolist() == [0, 0]
        assert curves.roc[:, -1].tolist() == [1, 1]
        assert curves.pr[0, [0, -1]].tolist() == [0, 1]


def test_the_macro_curve_of_equal_curves_is_that_curve_and_none_of_none():
    labels, log_p = CASES["two classes"]
    one = class_curves(log_p[:, 1], labels == 1)
    np.testing.assert_array_equal(macro_roc([one, one]), macro_roc([one]))
    assert metrics.auc(*macro_roc([one])) == pytest.approx(one.auc, abs=0.01)
    assert macro_roc([class_curves(log_p[:, 1], labels >= 0)]).shape == (2, 0)


def test_a_thinned_curve_keeps_its_ends_and_nearly_its_area():
    x = np.linspace(0, 1, 5000)
    thin = thinned(np.stack([x, np.sqrt(x)]), 100)
    assert thin.shape[1] <= 100
    assert thin[:, [0, -1]].tolist() == [[0, 1], [0, 1]]
    assert metrics.auc(*thin) == pytest.approx(2 / 3, abs=1e-3)


def test_figures_of_resamples_are_those_of_scikit_learn_on_the_drawn_examples(found):
    labels, log_p = found
    rng, n, k = np.random.default_rng(3), len(labels), log_p.shape[1]
    drawn = rng.integers(0, n, (6, n))
    counts = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(float)
    figures, areas = ClassFigures(labels, log_p), AreaFigures(labels, log_p)
    ours, ours_areas = figures(counts), areas(counts)
    m = len(figures.names)
    for i, row in enumerate(drawn):
        expected = headline(labels[row], log_p[row])
        assert set(expected) == set(figures.names)
        np.testing.assert_allclose(ours[i, :m], [expected[name] for name in figures.names], atol=1e-9)
        scores, _there, _said = by_class(labels[row], log_p[row].argmax(1), k)
        np.testing.assert_allclose(ours[i, m:].reshape(k, 3), scores, atol=1e-9)
        curves = [class_curves(log_p[row, j], labels[row] == j) for j in range(k)]
        both = np.array([[one.auc, one.average_precision] for one in curves])
        there = ~np.isnan(both[:, 0])
        expected_areas = both[there].mean(0) if there.any() else np.full(2, np.nan)
        np.testing.assert_allclose(ours_areas[i], expected_areas, atol=1e-9)


SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(SCORES, st.integers(0, 2**25 - 1), st.floats(0, 1))
def test_a_threshold_decides_as_one_comparison_does(scores, bits, threshold):
    p = np.array(scores)
    truth = np.array([bool(bits >> i & 1) for i in range(len(p))])
    found = decisions(p, truth).at(threshold)
    says = p >= threshold
    assert (found.true_positives, found.false_positives) == ((says & truth).sum(), (says & ~truth).sum())
    assert (found.false_negatives, found.true_negatives) == ((~says & truth).sum(), (~says & ~truth).sum())
    rates = (found.precision, found.recall, found.accuracy)
    expected = (
        metrics.precision_score(truth, says, zero_division=np.nan),
        metrics.recall_score(truth, says, zero_division=np.nan),
        metrics.accuracy_score(truth, says),
    )
    for ours, theirs_ in zip(rates, expected, strict=True):
        assert (ours is None and math.isnan(theirs_)) or ours == pytest.approx(theirs_)


@settings(max_examples=60, deadline=None)
@given(SCORES, st.integers(0, 2**25 - 1), st.sampled_from([0.0, 1.0, 3.0, 10.0]), st.sampled_from([0.0, 1.0, 5.0]))
def test_no_threshold_is_cheaper_than_the_cheapest(scores, bits, false_positive, false_negative):
    p = np.array(scores)
    truth = np.array([bool(bits >> i & 1) for i in range(len(p))])
    all_of_them = decisions(p, truth)
    best = all_of_them.cheapest(false_positive, false_negative)
    least = best.cost(false_positive, false_negative)
    asked, costs = all_of_them.curve(false_positive, false_negative, 101)
    assert least <= costs.min() + 1e-12
    tried = [all_of_them.at(one) for one in [*asked, *p, math.inf]]
    assert least == pytest.approx(min(one.cost(false_positive, false_negative) for one in tried))
    np.testing.assert_allclose(costs, [one.cost(false_positive, false_negative) for one in tried[:101]])
    assert all_of_them.at(best.threshold).cost(false_positive, false_negative) == pytest.approx(least)


def test_thresholds_are_those_of_scikit_learns_curve():
    labels, log_p = CASES["ties"]
    p, truth = np.exp(log_p[:, 1]), labels == 1
    ours = decisions(p, truth)
    false_rates, true_rates, thresholds = metrics.roc_curve(truth, p, drop_intermediate=False)
    np.testing.assert_array_equal(ours.thresholds, thresholds)
    np.testing.assert_allclose(ours.true_positives / truth.sum(), true_rates)
    np.testing.assert_allclose(ours.false_positives / (~truth).sum(), false_rates)
