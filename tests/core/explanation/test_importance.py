"""Permutation importance against scikit-learn with the same permutations, and closed forms."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance as sklearn_importance
from torch import nn

from core.explanation.columns import Column
from core.explanation.importance import judge_of, permutation_importance


class Predicts(ClassifierMixin, BaseEstimator):
    """A module as scikit-learn asks for it."""

    def __init__(self, module=None):
        self.module = module

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        with torch.no_grad():
            return self.module(torch.from_numpy(x)).double().softmax(1).numpy()

    def predict(self, x):
        return self.predict_proba(x).argmax(1)


def sklearn_orders(seed, n, repeats):
    """The permutations that scikit-learn makes, one after the other in place, the same for all columns."""
    random_seed = np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1)
    state, order, orders = np.random.RandomState(random_seed), np.arange(n), []
    for _ in range(repeats):
        state.shuffle(order)
        orders.append(order.copy())
    # scikit-learn shuffles the already shuffled column each time.
    total, done = [], np.arange(n)
    for one in orders:
        done = done[one]
        total.append(done.copy())
    return np.array(total)


def columns(n):
    return [Column(f"f{i}", (i,)) for i in range(n)]


def silent(n: int) -> None:
    pass


@pytest.mark.parametrize(("scoring", "which"), [("accuracy", "scores"), ("neg_log_loss", "losses")])
def test_losses_and_scores_fall_as_scikit_learn_says(scoring, which, row_subject):
    subject = row_subject()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 6)).astype(np.float32), rng.integers(0, 3, 80)
    estimator = Predicts(subject.module).fit(x, y)
    theirs = sklearn_importance(estimator, x, y, scoring=scoring, n_repeats=7, random_state=3)
    found = permutation_importance(judge_of(subject, y), x, columns(6), sklearn_orders(3, 80, 7), silent)
    assert np.allclose(getattr(found, which).T, theirs.importances, atol=1e-6)


def test_a_column_that_is_not_used_costs_nothing_and_the_only_one_costs_all(row_subject):
    class First(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([-50 * x[:, 0], 50 * x[:, 0], torch.full_like(x[:, 0], -1000)], 1)

    subject = row_subject(First())
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 6)).astype(np.float32)
    x[:, 0] = np.sign(x[:, 0])
    y = (x[:, 0] > 0).astype(int)
    orders = np.stack([rng.permutation(1000) for _ in range(5)])
    found = permutation_importance(judge_of(subject, y), x, columns(6), orders, silent)
    assert found.score == 1
    assert np.array_equal(found.scores[:, 1:], np.zeros((5, 5)))
    # Two classes of about the same size: half of the shuffled labels are wrong.
    assert found.scores[:, 0].mean() == pytest.approx(0.5, abs=0.03)


def test_the_inputs_of_one_category_are_shuffled_together(row_subject):
    asked = []

    def judge(x):
        asked.append(x.copy())
        return 0.0, 1.0

    x = np.eye(3, dtype=np.float32)[np.arange(30) % 3]
    orders = np.random.default_rng(0).permutation(30)[None]
    permutation_importance(judge, x, [Column("kind", (0, 1, 2), ("a", "b", "c"))], orders, silent)
    assert np.array_equal(asked[1], x[orders[0]])
    assert np.array_equal(asked[1].sum(1), np.ones(30))


def test_numbers_are_judged_by_absolute_error_and_r2(row_subject):
    from dataclasses import replace

    from sklearn.metrics import mean_absolute_error, r2_score

    subject = replace(row_subject(nn.Linear(6, 1)), task="regression", target=0, class_names=("size",))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 6)).astype(np.float32), rng.normal(size=50)
    with torch.no_grad():
        predicted = subject.module(torch.from_numpy(x))[:, 0].double().numpy()
    loss, score = judge_of(subject, y)(x)
    assert loss == pytest.approx(mean_absolute_error(y, predicted), abs=1e-6)
    assert score == pytest.approx(r2_score(y, predicted), abs=1e-6)


def test_a_cancel_comes_through(row_subject):
    class Cancelled(Exception):
        pass

    def stop(n):
        raise Cancelled

    with pytest.raises(Cancelled):
        permutation_importance(judge_of(row_subject(), np.zeros(9, int)), np.zeros((9, 6), np.float32), columns(6),
                               np.arange(9)[None], stop)  # fmt: skip
