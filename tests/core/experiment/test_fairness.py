"""What is said to be equal and what to differ, for races of which it is known."""

import pytest

from core.data.augmentation import Affine
from core.data.rendered import Digits
from core.experiment.changes import HyperChange, LaneAddition, LaneRemoval, OptimizerSwap
from core.experiment.experiment import Budget, Experiment, Lane
from core.experiment.fairness import fairness
from core.optim.optimizers import SGD, Adam, AnyOptimizer
from core.optim.optimizers_gradient import GradientDescent
from core.optim.optimizers_matrix import LBFGS
from core.optim.regularizers import L1, WeightAverage
from core.optim.schedules import StepDecay
from core.spec import choices
from tests.core.samples import linear, spiral, stack


def race(*lanes: Lane, **changes: object) -> Experiment:
    return spiral(lanes=lanes, **changes)  # type: ignore[arg-type]


def texts(experiment: Experiment) -> tuple[list[str], list[str]]:
    found = fairness(experiment)
    return [str(one) for one in found.equal], [str(one) for one in found.differs]


TWO = (Lane(optimizer=SGD()), Lane(optimizer=Adam()))


def test_what_one_loop_makes_equal_is_said_with_its_numbers():
    equal, differs = texts(race(*TWO, repeats=4))
    assert equal[:6] == [
        "Data and split: Spiral, 100 examples to train and 50 to validate, for all lanes and seeds.",
        "Initial weights: within each of the 4 seeds the same for all lanes.",
        "Batches: 10 examples, the same ones in the same order in every lane.",
        "Loss: Cross-entropy.",
        "Budget: 60 steps.",
        "Precision: float32.",
    ]
    assert differs == [
        "Optimizer: SGD; Adam.",
        "Learning rate: the usual one of each optimizer, not tuned (SGD: 0.1; Adam: 0.001).",
    ]


def test_augmentation_and_dropout_are_named_where_they_are():
    model = stack("Flatten", linear(8), ("Dropout", {"p": 0.5}), linear(10))
    equal, _ = texts(race(*TWO, data=Digits(), model=model, augmentation=(Affine(),)))
    assert f"Augmentation: the same random changes of the same images ({Affine.label})." in equal
    assert "Dropout: the same masks in the same step of every lane." in equal
    plain, _ = texts(race(*TWO, model=stack(linear(8), ("Dropout", {"p": 0.0}), linear(2))))
    assert not any(text.startswith(("Augmentation", "Dropout")) for text in plain)


def test_one_seed_a_full_batch_and_bfloat16_have_their_own_words():
    equal, _ = texts(race(*TWO, batch_size="full", precision="bfloat16"))
    assert "Initial weights: the same for all lanes." in equal
    assert "Batches: the whole training split in every step of every lane." in equal
    assert "Precision: bfloat16 (weights and updates in float32)." in equal


def test_a_budget_is_told_whole():
    budget = Budget(epochs=1_000, seconds=2.5, target_accuracy=0.9, patience=5)
    (text,) = [text for text in texts(race(*TWO, budget=budget))[0] if text.startswith("Budget")]
    assert text == (
        "Budget: 1,000 epochs or 2.5 s of training all lanes, or until a validation accuracy of 0.9 in every lane, "
        "or until 5 epochs without a better validation loss in any lane."
    )


def test_how_learning_rates_were_found_is_said():
    shared = race(Lane(optimizer=SGD(lr=0.1)), Lane(optimizer=Adam(lr=0.1)))
    equal, differs = texts(shared)
    assert "Learning rate: 0.1, shared by all; what suits one optimizer may not suit another." in equal
    assert not any(text.startswith("Learning rate") for text in differs)
    _, by_hand = texts(race(Lane(optimizer=SGD(lr=0.3)), Lane(optimizer=Adam())))
    assert "Learning rate: chosen by hand for each lane, not tuned (SGD: 0.3; Adam: 0.001)." in by_hand
    rates = (0.01, 0.1, 1.0)
    tuned = shared.but(lanes=tuple(lane.but(tried=rates) for lane in shared.lanes))
    equal, differs = texts(tuned)
    assert "Learning rate: the best of 3 tries for each lane (SGD: 0.1; Adam: 0.1)." in differs
    assert not any(text.startswith("Learning rate") for text in equal)
    _, differs = texts(tuned.with_hyper(1, "lr", 0.05))  # changed by hand afterwards
    unequal = "tuned with unequal budgets, which is not fair (SGD: best of 3 tries; Adam: by hand; SGD: 0.1; Adam: 0.05)."
    assert f"Learning rate: {unequal}" in differs


def test_one_optimizer_with_other_numbers_differs_in_these_alone():
    equal, differs = texts(
        race(Lane(optimizer=SGD(momentum=0.5), name="slow"), Lane(optimizer=SGD(momentum=0.9, nesterov=True), name="fast"))
    )
    assert "Optimizer: SGD." in equal
    assert differs == ["momentum: slow: 0.5; fast: 0.9.", "nesterov: slow: off; fast: on."]


def test_lanes_of_one_name_are_numbered():
    _, differs = texts(race(Lane(optimizer=SGD(lr=0.1)), Lane(optimizer=SGD(lr=0.2)), Lane(optimizer=Adam())))
    assert differs[0] == "Optimizer: lane 1: SGD; lane 2: SGD; lane 3: Adam."


def test_schedules_and_regularizers_are_equal_or_compared():
    step, slow = StepDecay(), StepDecay(every=20)
    equal, _ = texts(race(*(lane.but(schedule=step, regularizers=(L1(),)) for lane in TWO)))
    assert {"Schedule: Step.", "Regularizers: L1 penalty."} <= set(equal)
    _, differs = texts(race(TWO[0].but(schedule=step), TWO[1].but(regularizers=(L1(), WeightAverage()))))
    assert "Schedule: SGD: Step; Adam: Constant." in differs
    assert f"Regularizers: SGD: none; Adam: L1 penalty + {WeightAverage.label}." in differs
    assert "Adam, lr 0.001: the averaged weights are evaluated, not the last ones." in differs
    settings = (TWO[0].but(schedule=step, regularizers=(L1(strength=0.1),)), TWO[1].but(schedule=slow, regularizers=(L1(),)))
    _, differs = texts(race(*settings))
    assert "Schedule: Step, with other settings in each lane." in differs
    assert "Regularizers: L1 penalty, of another strength in each lane." in differs


def test_lanes_that_do_more_in_a_step_are_named():
    _, differs = texts(race(TWO[0], Lane(optimizer=GradientDescent()), Lane(optimizer=LBFGS(), name="quasi-Newton")))
    (whole,) = [text for text in differs if "whole training split" in text]
    (several,) = [text for text in differs if "several times" in text]
    assert whole.startswith("Gradient descent (full batch), lr 0.1; quasi-Newton: each step sees the whole training split")
    assert "Compare over seconds, not over steps." in whole
    assert several == "quasi-Newton: each step evaluates the loss and its gradient several times."


@pytest.mark.parametrize("cls", choices(AnyOptimizer))
def test_every_optimizer_that_sees_or_does_more_is_told_and_no_other(cls):
    _, differs = texts(race(TWO[0], Lane(optimizer=cls(), name="X")))
    assert any(text.startswith("X: each step sees") for text in differs) == cls.needs_whole_split
    assert any(text.startswith("X: each step evaluates") for text in differs) == cls.needs_closure


def test_what_was_done_by_hand_is_told_in_order():
    changes = (
        LaneAddition(after_step=10, definition=Lane(optimizer=Adam(), name="late")),
        LaneAddition(after_step=20, definition=Lane(optimizer=SGD(lr=0.2), name="fork"), fork_of=0),
        HyperChange(after_step=1_000, lane=3, name="lr", value=0.5),
        OptimizerSwap(after_step=1_100, lane=1, optimizer=SGD()),
        LaneRemoval(after_step=1_200, lane=2),
    )
    equal, differs = texts(race(*(lane.but(name=name) for lane, name in zip(TWO, "AB", strict=True)), changes=changes))
    assert differs[-5:] == [
        "late joined after step 10, from the initial weights, and caught up.",
        "fork was forked from A after step 20: until there they are one.",
        "fork: lr was set to 0.5 after step 1,000.",
        "B went on with SGD after step 1,100.",
        "late was removed after step 1,200.",
    ]
    assert differs[0] == "Optimizer: A: SGD; B: Adam; late: Adam; fork: SGD."
    assert equal
