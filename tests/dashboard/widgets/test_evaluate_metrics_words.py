"""What the section Metrics says of special cases."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from core.evaluation.metrics import Resampling, evaluation
from core.metrics.classification import headline
from core.metrics.regression import NAMES
from core.results.predictions import Predictions
from dashboard.widgets.evaluate_metrics_classes import CARDS, class_table, figures_table
from dashboard.widgets.evaluate_metrics_numbers import number_notes
from dashboard.widgets.evaluate_metrics_words import (
    interval_text,
    label,
    meaning,
    named,
    notes,
    number_text,
    resampling_words,
    temperature_words,
    value_text,
)

RNG = np.random.default_rng(0)


def classes(labels, logits, n=20):
    names = tuple(f"kind {k}" for k in range(np.shape(logits)[1]))
    said = Predictions("test", 0, names, np.asarray(labels), log_probabilities=log_softmax(np.asarray(logits, float), axis=1))
    return evaluation(said, said, Resampling(n))


def numbers(targets, n=20):
    targets = np.asarray(targets, float)
    said = Predictions("test", 0, (), np.full(len(targets), -1), values=targets + 1, targets=targets, target_name="cost")
    return evaluation(said, said, Resampling(n))


NEVER = classes([0, 1, 3] * 20, [[2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 2]] * 20)


def test_a_class_that_is_never_predicted_or_never_there_is_named():
    said = " ".join(notes(NEVER))
    assert "The model never predicts “kind 1”: its precision is undefined" in said
    assert "This split has no example of “kind 2”: its recall" in said
    table = class_table(NEVER)
    assert table["Precision"][1] is None
    assert table["Recall"][1] == 0
    assert table["Recall"][2] is None
    assert table["Predicted"] == [40, 0, 0, 20]


def test_several_such_classes_are_named_and_the_rest_counted():
    logits = np.zeros((9, 9))
    logits[:, 0] = 5
    said = notes(classes(range(9), logits))
    assert "“kind 1”, “kind 2”, “kind 3”, “kind 4”, “kind 5” and 3 more: their precision" in said[0]
    assert named(NEVER, [0]) == "“kind 0”"


def test_no_error_is_no_proof():
    perfect = classes([0, 1] * 30, np.eye(2)[[0, 1] * 30] * 9)
    said = " ".join(notes(perfect))
    assert "up to 5 % of other examples" in said  # 3 / 60
    assert "intervals from so few" not in said
    assert "intervals from so few" in " ".join(notes(classes([0, 1], np.eye(2) * 9)))


def test_ordinary_figures_need_no_remark():
    labels = RNG.integers(0, 3, 90)
    assert notes(classes(labels, np.eye(3)[labels] + RNG.normal(size=(90, 3)))) == []


def test_every_figure_has_a_name_and_every_large_one_a_meaning():
    log_p = log_softmax(RNG.normal(size=(20, 7)), axis=1)
    names = [*headline(np.arange(20) % 7, log_p), "auc", "average_precision", *NAMES]
    assert len({label(name) for name in names}) == len(names)
    assert all(meaning(name) for name in [*CARDS, *NAMES])


def test_figures_are_told_as_shares_or_numbers_and_undefined_ones_as_a_dash():
    assert (value_text("accuracy", 0.1234), value_text("mcc", 0.1234), value_text("auc", float("nan"))) == (
        "12.3%",
        "0.123",
        "–",
    )
    assert (number_text("mae", 1234.5), number_text("r2", 0.5), number_text("bias", -2.0)) == ("1234", "0.500", "-2")
    one = classes([1], [[0.0, 1.0]])
    assert interval_text(one, "accuracy") == "no interval"
    assert "One example has no interval" in resampling_words(one)


def test_the_number_of_resamples_is_told_also_where_some_figures_have_fewer():
    assert "percentiles of 20 resamples of the 60 examples" in resampling_words(NEVER)
    fewer = replace(NEVER, resamples=np.where(np.isin(NEVER.names, ("auc", "average_precision")), 7, 1000))
    assert "ROC AUC, Average precision: 7 resamples" in resampling_words(fewer)
    without = replace(NEVER, resamples=np.where(np.isin(NEVER.names, ("auc", "average_precision")), 0, 1000))
    assert "ROC AUC, Average precision: none" in resampling_words(without)
    assert "No intervals were asked for" in resampling_words(replace(NEVER, resamples=NEVER.resamples * 0))


@pytest.mark.parametrize(
    ("temperature", "note", "words"),
    [
        (2.0, "", "too sure"),
        (0.5, "", "could be surer"),
        (1.01, "", "about as sure"),
        (0.01, "coldest", "0.01"),
        (100.0, "hottest", "no better than chance"),
        (1.0, "flat", "same probability"),
    ],
)
def test_the_temperature_is_put_in_words(temperature, note, words):
    assert words in temperature_words(replace(NEVER, temperature=temperature, temperature_note=note))


def test_a_temperature_that_does_not_help_here_is_called_that():
    helps, harms = (replace(NEVER, temperature=2.0, temperature_note="", scaled=np.full(3, loss)) for loss in (0.0, 99.0))
    assert "does not help" not in temperature_words(helps)
    assert "On this split scaling does not help" in temperature_words(harms)


def test_numbers_that_are_all_equal_leave_r2_undefined():
    assert "R² is undefined" in " ".join(number_notes(numbers([3.0] * 40)))
    assert number_notes(numbers(np.arange(40))) == []
    assert "draw 1,500 of the 4,500" in number_notes(numbers(np.arange(4500)))[0]


def test_the_table_of_figures_has_full_precision_and_empty_cells():
    table = figures_table(NEVER)
    assert table["value"][table["figure"].index("accuracy")] == NEVER.value("accuracy")
    assert set(figures_table(classes([1], [[0.0, 1.0]]))["low"]) == {None}
