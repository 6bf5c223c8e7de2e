"""Partial dependence against scikit-learn, and what it must be for a linear model."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence as sklearn_partial_dependence
from torch import nn

from core.data.gallery import background, example
from core.data.tabular import BreastCancer, Diabetes
from core.explanation.columns import columns_of, own_values
from core.explanation.partial_dependence import partial_dependence
from core.explanation.prepared import subject_of
from tests.core.explanation.test_columns import flower_table


def silent(done: int, total: int) -> None:
    pass


class Answers(RegressorMixin, BaseEstimator):
    """A subject's answers as scikit-learn asks for them."""

    def __init__(self, subject=None):
        self.subject = subject

    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        with torch.no_grad():
            return self.subject.answers(self.subject.module(torch.from_numpy(x.astype(np.float32)))).double().numpy()


def asked(data, n_inputs, n_outputs, index=4, target=None):
    torch.manual_seed(0)
    splits = data.splits(0)
    model = nn.Sequential(nn.Linear(n_inputs, 12), nn.Tanh(), nn.Linear(12, n_outputs))
    subject = subject_of(model, splits, example(splits, "validation", index), background(splits, 60, 0), target)
    return subject, splits, splits.model_input(splits.validation.x)


@pytest.mark.parametrize("data", [BreastCancer(), Diabetes()], ids=["classes", "number"])
@pytest.mark.parametrize("column", [0, 1, 7])
def test_mean_and_lines_are_those_of_scikit_learn(data, column):
    n = len(columns_of(data))
    subject, splits, rows = asked(data, n, 2 if data.class_names else 1)
    everyone = np.concatenate([rows, subject.x.numpy()])  # so that both take the same range
    found = partial_dependence(subject, splits, columns_of(data)[column], everyone, 30, silent)
    estimator = Answers(subject).fit(everyone, None)
    theirs = sklearn_partial_dependence(
        estimator, everyone, [column], percentiles=(0, 1), grid_resolution=30, kind="both", method="brute"
    )
    scale, shift = splits.scale[column], splits.shift[column]
    assert np.allclose(found.grid, theirs["grid_values"][0] / scale + shift, rtol=1e-4)
    assert np.allclose(found.mean, theirs["average"][0], rtol=1e-3, atol=1e-3)
    assert np.allclose(found.answers, theirs["individual"][0], rtol=1e-3, atol=2e-3)


def test_lines_of_a_linear_model_are_parallel_and_rise_by_the_weight():
    data = BreastCancer()
    splits = data.splits(0)
    model = nn.Sequential(nn.Linear(30, 2))
    subject = subject_of(model, splits, example(splits, "validation", 4), background(splits, 60, 0), 1)
    rows = splits.model_input(splits.validation.x)
    found = partial_dependence(subject, splits, columns_of(data)[3], rows, 20, silent)
    slopes = np.diff(found.answers, axis=1) / np.diff(found.grid)
    assert np.allclose(slopes, float(model[0].weight[1, 3].detach()) * splits.scale[3], rtol=1e-2, atol=1e-5)
    assert found.name == "mean area"
    assert found.target_name == "benign"
    assert found.grid[0] == pytest.approx(min(found.values.min(), found.own_value))


def test_the_own_line_passes_through_what_the_example_gets():
    subject, splits, rows = asked(BreastCancer(), 30, 2)
    column = columns_of(BreastCancer())[0]
    found = partial_dependence(subject, splits, column, rows, 200, silent)
    with torch.no_grad():
        assert found.own_answer == pytest.approx(float(subject.module(subject.x)[0, subject.target]), abs=1e-5)
    assert np.interp(found.own_value, found.grid, found.own) == pytest.approx(found.own_answer, abs=1e-3)
    assert np.allclose(found.values, own_values(splits, column, rows))


def test_categories_are_tried_one_after_the_other(home):
    subject, splits, rows = asked(flower_table(), 4, 3, index=1)
    found = partial_dependence(subject, splits, columns_of(flower_table())[2], rows, 50, silent)
    assert found.categories == ("blue", "red")
    assert found.grid.tolist() == [0, 1]
    assert set(found.values) == {0.0, 1.0}
    # Each example's own category gives what it gets as it is.
    with torch.no_grad():
        plain = subject.module(torch.from_numpy(rows))[:, subject.target].numpy()
    assert np.allclose(found.answers[np.arange(len(rows)), found.values.astype(int)], plain, atol=1e-5)


def test_it_can_be_cancelled_and_tells_how_far_it_is():
    class Cancelled(Exception):
        pass

    subject, splits, rows = asked(BreastCancer(), 30, 2)
    reports = []
    partial_dependence(
        subject, splits, columns_of(BreastCancer())[0], rows, 40, lambda done, total: reports.append((done, total))
    )
    assert reports[-1][0] == reports[-1][1]
    assert len(reports) > 2

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        partial_dependence(subject, splits, columns_of(BreastCancer())[0], rows, 40, stop)
