"""Settings that differ are found where they are, and nothing else is."""

import pytest

from core.data.preparation import Preparation
from core.data.tabular import Iris
from core.data.toy import Spiral
from core.experiment.difference import has_same_examples, settings_that_differ
from core.experiment.examples import EXAMPLES
from core.experiment.experiment import Budget, Lane
from core.optim.schedules import Cosine
from tests.core.samples import linear, optimizer_like, spiral, stack


def rows(first, second):
    return [(one.path, one.first, one.second) for one in settings_that_differ(first, second)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_experiment_does_not_differ_from_itself(example):
    assert settings_that_differ(example.make(), example.make()) == ()


def test_a_number_is_found_by_its_path():
    assert rows(spiral(lr=0.01), spiral(lr=0.1)) == [("Lane 1 > optimizer > lr", "0.01", "0.1")]
    assert rows(spiral(), spiral(seed=3, batch_size="full")) == [("batch size", "10", "full"), ("seed", "0", "3")]
    assert rows(spiral(), spiral(budget=Budget(epochs=3, steps=60))) == [("budget > epochs", "none", "3")]


def test_another_kind_is_one_row_and_a_layer_more_is_one():
    (row,) = rows(spiral(), spiral(optimizer="sgd"))
    assert row[0] == "Lane 1 > optimizer"
    assert row[1].startswith("adam (lr 0.01")
    assert row[2].startswith("sgd (lr 0.01")
    wide = spiral(model=stack(linear(8), "Tanh", linear(5), linear(2)))
    found = {path: (a, b) for path, a, b in rows(spiral(), wide)}
    assert set(found) == {"model > Layer 3 > out features", "model > Layer 4"}
    assert found["model > Layer 4"][0] == "–"


def test_a_lane_more_and_another_schedule():
    lanes = (Lane(optimizer=optimizer_like("adam", 0.01), schedule=Cosine()), Lane(optimizer=optimizer_like("sgd", 0.1)))
    found = [path for path, _a, _b in rows(spiral(), spiral(lanes=lanes))]
    assert found == ["Lane 1 > schedule", "Lane 2"]


def test_examples_are_the_same_however_they_are_prepared():
    plain = spiral()
    assert has_same_examples(plain, plain.but(batch_size="full"))
    assert has_same_examples(plain, spiral(data=Spiral(n_points=200, features=("x1", "x1_x2"))))
    assert not has_same_examples(plain, spiral(data=Spiral(n_points=300)))
    assert not has_same_examples(plain, plain.but(seed=1))
    assert has_same_examples(spiral(data=Iris()), spiral(data=Iris(preparation=Preparation(pca=2))))
