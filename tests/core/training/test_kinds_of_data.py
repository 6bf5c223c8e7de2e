"""Training on numbers, sentences, features of points and changed pictures: what is told, and that a resume changes nothing."""

import numpy as np
import pytest
import torch

from core.data.augmentation import HorizontalFlip, MixUp, Rotation
from core.data.drawn import DrawnPoints
from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.data.toy import GaussRegression, PlaneRegression, Spiral
from core.events import Artifact, EpochDone, Finished, StepMeasured, StepsDone, SurfaceMeasured
from core.experiment.experiment import Budget, Lane
from core.models.model import build
from core.models.output import class_probabilities
from core.optim.losses import BinaryCrossEntropy, Huber, MeanSquaredError
from core.training.checkpoints import load_state, load_weights
from core.training.live_run import LiveRun
from core.training.loop import train
from tests.core.samples import linear, optimizer_like, spiral, stack

SHORT = Sentiment(n_examples=200)
LSTM = ("LSTM", {"hidden_size": 6, "num_layers": 2, "dropout": 0.4})
READER = stack(("Embedding", {"num_embeddings": 128, "embedding_dim": 5}), LSTM, linear(2))
IMAGES = {"data": Digits(), "model": stack("Flatten", linear(16), "ReLU", linear(10)), "batch_size": 64}


def numbers(data, *, loss=None, **changes):
    return spiral(data=data, model=stack(linear(8), "Tanh", linear(1)), loss=loss or MeanSquaredError(), **changes)


def told(experiment, **how):
    return list(train(experiment, **how))


def losses(items):
    return [loss for item in items if isinstance(item, StepsDone) for loss in item.losses[0]]


def last(items, kind):
    return [item for item in items if isinstance(item, kind)][-1]


def final_weights(items):
    state = load_state(last(items, Artifact).data)
    return [{name: tensor.tolist() for name, tensor in model.items()} for model in state.models]


def assert_resume_changes_nothing(experiment, at):
    whole = told(experiment)
    half = told(experiment.but(budget=Budget(epochs=None, steps=at)))
    rest = told(experiment, resume=last(half, Artifact).data)
    assert losses(half) + losses(rest) == losses(whole)
    assert final_weights(rest) == final_weights(whole)


def test_a_line_learns_the_plane_to_an_r2_of_1():
    experiment = numbers(PlaneRegression(n_points=200), lr=0.05, budget=Budget(epochs=30)).but(model=stack(linear(1)))
    items = told(experiment)
    end = last(items, Finished)
    assert end.test_accuracy[0] > 0.99
    assert last(items, EpochDone).validation_accuracy[0] > 0.99
    assert 0.9 < last(items, StepMeasured).batch_accuracies[0] <= 1


def test_an_r2_can_be_the_target_that_ends_a_run():
    budget = Budget(epochs=300, target_accuracy=0.9)
    items = told(numbers(PlaneRegression(n_points=200), lr=0.03, budget=budget, loss=Huber()))
    assert last(items, Finished).reason == "target"
    assert last(items, EpochDone).validation_accuracy[0] >= 0.9


def test_a_table_of_numbers_is_learned_in_standard_deviations():
    items = told(numbers(Diabetes(), lr=0.01, batch_size=32, budget=Budget(epochs=20)))
    assert last(items, EpochDone).train_loss[0] < 0.7  # of a variance of 1
    assert 0.2 < last(items, Finished).test_accuracy[0] < 0.7


@pytest.mark.parametrize("scaling", ["none", "standardise"])
@pytest.mark.parametrize("features", [("x1", "x2"), ("x1", "x2", "x1_squared", "x1_x2", "sin_x2")])
def test_the_surface_is_what_the_model_says_of_the_features_of_each_place(features, scaling):
    data = Spiral(n_points=200, features=features, preparation=Preparation(scaling=scaling))
    experiment = spiral(data=data, steps=20)
    items = told(experiment)
    surface = last(items, SurfaceMeasured)
    model = build(experiment.model, (len(features),), 0)
    model.load_state_dict(load_weights(last(items, Artifact).data)[0])
    axis = np.linspace(-6, 6, surface.side)
    points = np.array([(x, y) for y in axis for x in axis], np.float32)
    rows = data.features_of(points)
    if scaling == "standardise":
        train_rows = data.original(0).train.x.astype(float)
        rows = (rows - train_rows.mean(0)) / train_rows.std(0)
    with torch.no_grad():
        share = class_probabilities(model, model(torch.from_numpy(rows.astype(np.float32))))[:, 1].numpy()
    assert np.abs(np.frombuffer(surface.values, np.uint8) - 255 * share).max() <= 0.51


def test_the_surface_of_numbers_reaches_from_minus_1_to_1():
    items = told(numbers(GaussRegression(n_points=200), steps=10))
    surface = last(items, SurfaceMeasured)
    model = build(stack(linear(8), "Tanh", linear(1)), (2,), 0)
    model.load_state_dict(load_weights(last(items, Artifact).data)[0])
    with torch.no_grad():
        corners = model(torch.tensor([[-6.0, -6.0], [6.0, 6.0]]))[:, 0]
    expected = ((corners.clamp(-1, 1) + 1) / 2 * 255).round().int().tolist()
    assert [surface.values[0], surface.values[-1]] == pytest.approx(expected, abs=1)


def test_drawn_points_have_a_surface_and_tables_have_none():
    drawn = spiral(data=DrawnPoints(), steps=5, batch_size=4)
    assert any(isinstance(item, SurfaceMeasured) for item in told(drawn))
    assert not any(isinstance(item, SurfaceMeasured) for item in told(numbers(Diabetes(), steps=5)))


def test_two_classes_can_be_learned_with_one_output():
    experiment = spiral(
        model=stack(linear(16), "Tanh", linear(1)), loss=BinaryCrossEntropy(), lr=0.02, budget=Budget(epochs=60)
    )
    items = told(experiment)
    assert last(items, EpochDone).train_accuracy[0] > 0.7
    assert any(isinstance(item, SurfaceMeasured) for item in items)


def test_dropout_inside_an_lstm_is_the_same_after_a_resume():
    experiment = spiral(data=SHORT, model=READER, batch_size=32, steps=30)
    assert losses(told(experiment)) != losses(told(experiment.but(model=stack(*_without_dropout()))))
    assert_resume_changes_nothing(experiment, 11)


def _without_dropout():
    return (
        ("Embedding", {"num_embeddings": 128, "embedding_dim": 5}),
        ("LSTM", {"hidden_size": 6, "num_layers": 2}),
        linear(2),
    )


@pytest.mark.parametrize("augmentation", [(Rotation(),), (MixUp(),), (HorizontalFlip(), Rotation(), MixUp(alpha=1.0))], ids=len)
def test_augmentation_is_the_same_after_a_resume(augmentation):
    experiment = spiral(augmentation=augmentation, steps=50, **IMAGES)
    assert losses(told(experiment)) != losses(told(experiment.but(augmentation=())))
    assert_resume_changes_nothing(experiment, 23)


def test_lanes_see_the_same_changed_pictures_and_repeats_others():
    lanes = (Lane(optimizer=optimizer_like("sgd", 0.1)), Lane(optimizer=optimizer_like("adam", 0.01)))
    experiment = spiral(augmentation=(Rotation(degrees=90.0), MixUp()), steps=8, repeats=2, **IMAGES)
    together = told(experiment.but(lanes=lanes))
    alone = told(experiment.but(lanes=lanes[1:]))
    rows, rows_alone = by_step(together), by_step(alone)
    assert [row[2:] for row in rows] == rows_alone
    assert [row[0] for row in rows] != [row[1] for row in rows]


def by_step(items):
    """The losses of all series, step by step."""
    return [row for item in items if isinstance(item, StepsDone) for row in zip(*item.losses, strict=True)]


def test_validation_is_never_augmented():
    experiment = spiral(**IMAGES, steps=2)
    splits = experiment.data.splits(0)
    plain = LiveRun(experiment, splits, None)
    changed = LiveRun(experiment.but(augmentation=(Rotation(degrees=180.0),)), splits, None)
    assert drained(plain.validated()).validation_loss == drained(changed.validated()).validation_loss
    assert plain.advance() != changed.advance()


def drained(steps):
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value
