"""Our loop against a training loop written by hand in bare torch: equal curves."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from core.data.rendered import Digits
from core.data.tabular import BreastCancer
from core.events import Artifact, EpochDone, StepsDone
from core.experiment.experiment import Budget, Lane
from core.optim.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from core.seeds import stream_seed
from core.training.loop import train
from tests.core.samples import linear, spiral, stack

CONV = ("Conv2d", {"out_channels": 4})
CASES = {
    "toy": (spiral(), lambda: torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))),
    "mlp": (
        spiral(data=BreastCancer(), model=stack(linear(16), "ReLU", linear(2)), batch_size=32),
        lambda: torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)),
    ),
    "cnn": (
        spiral(data=Digits(), model=stack(CONV, "BatchNorm2d", "ReLU", "MaxPool2d", "Flatten", linear(10)), batch_size=64),
        lambda: torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3),
            torch.nn.BatchNorm2d(4),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(36, 10),
        ),
    ),
}
OPTIMIZERS = {
    "sgd": (SGD(lr=0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "nesterov": (
        SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    ),
    "adam": (Adam(lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
    "adamw": (AdamW(lr=0.01, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
    "rmsprop": (RMSprop(lr=0.01, momentum=0.5), lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5)),
    "adagrad": (Adagrad(lr=0.05), lambda p: torch.optim.Adagrad(p, lr=0.05)),
}


def hand_written(experiment, make_model, make_optimizer):
    """The curve of a loop that knows only the data, the seeds and torch."""
    splits = experiment.data.splits(experiment.seed)
    x = torch.from_numpy((splits.train.x.astype(np.float64) - splits.shift) * splits.scale).float()
    y = torch.from_numpy(splits.train.y)
    torch.manual_seed(stream_seed(experiment.seed, "init"))
    model = make_model()
    optimizer = make_optimizer(model.parameters())
    losses, epoch = [], 0
    while len(losses) < experiment.budget.steps:
        epoch += 1
        generator = torch.Generator().manual_seed(stream_seed(experiment.seed, "batches") ^ epoch)
        for batch in torch.randperm(len(y), generator=generator).split(experiment.batch_size):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses[: experiment.budget.steps], model


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_the_curve_equals_that_of_a_hand_written_loop(case, rule):
    experiment, make_model = CASES[case]
    optimizer, make_optimizer = OPTIMIZERS[rule]
    experiment = experiment.but(lanes=(Lane(optimizer=optimizer),))
    ours = [loss for item in train(experiment) if isinstance(item, StepsDone) for loss in item.losses[0]]
    theirs, _ = hand_written(experiment, make_model, make_optimizer)
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)  # a few roundings of float32


def test_validation_figures_equal_those_of_torch_on_the_same_weights():
    experiment = spiral(budget=Budget(epochs=2))
    items = list(train(experiment))
    last = [item for item in items if isinstance(item, EpochDone)][-1]
    experiment = experiment.but(budget=Budget(epochs=None, steps=last.step))
    _, model = hand_written(experiment, *CASES["toy"][1:], lambda p: torch.optim.Adam(p, lr=0.01))
    validation = experiment.data.splits(0).validation
    with torch.no_grad():
        logits = model(torch.from_numpy(validation.x))
    targets = torch.from_numpy(validation.y)
    assert last.validation_loss[0] == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item(), abs=1e-5)
    assert last.validation_accuracy[0] == accuracy_score(targets, logits.argmax(1))
    assert any(isinstance(item, Artifact) for item in items)
