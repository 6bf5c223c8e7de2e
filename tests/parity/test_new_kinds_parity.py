"""Regression, one output, and sentences: our curve equals that of a loop written by hand in bare torch."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score
from torch import nn
from torch.nn import functional

from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.events import EpochDone, StepsDone
from core.experiment.experiment import Budget
from core.optim.losses import BinaryCrossEntropy, Huber, MeanAbsoluteError, MeanSquaredError
from core.seeds import stream_seed
from core.training.loop import train
from tests.core.samples import linear, spiral, stack

SENTENCES = Sentiment(n_examples=200)
N_TOKENS = SENTENCES.original_profile().n_tokens


class Reader(nn.Module):
    """Embedding, LSTM, and a linear layer on where reading ended."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, 6, padding_idx=0)
        self.lstm = nn.LSTM(6, 7, batch_first=True)
        self.head = nn.Linear(7, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(self.embedding(x))[0][:, -1])


def perceptron(n_in):
    return lambda: nn.Sequential(nn.Linear(n_in, 8), nn.Tanh(), nn.Linear(8, 1))


ONE = stack(linear(8), "Tanh", linear(1))
READING = stack(("Embedding", {"num_embeddings": N_TOKENS, "embedding_dim": 6}), ("LSTM", {"hidden_size": 7}), linear(2))
CASES = {
    "mse": (
        spiral(data=Diabetes(), model=ONE, loss=MeanSquaredError()),
        perceptron(10),
        lambda o, y: functional.mse_loss(o[:, 0], y),
    ),
    "mae": (
        spiral(data=Diabetes(), model=ONE, loss=MeanAbsoluteError()),
        perceptron(10),
        lambda o, y: (o[:, 0] - y).abs().mean(),
    ),
    "huber": (
        spiral(data=Diabetes(), model=ONE, loss=Huber(delta=0.5)),
        perceptron(10),
        lambda o, y: functional.huber_loss(o[:, 0], y, delta=0.5),
    ),
    "bce": (
        spiral(model=ONE, loss=BinaryCrossEntropy()),
        perceptron(2),
        lambda o, y: functional.binary_cross_entropy_with_logits(o[:, 0], y.float()),
    ),
    "lstm": (spiral(data=SENTENCES, model=READING), Reader, functional.cross_entropy),
}


def hand_written(experiment, make_model, loss_of):
    """The curve of a loop that knows only the data, the seeds and torch; and the model."""
    splits = experiment.data.splits(experiment.seed)
    x = torch.from_numpy(np.array(splits.model_input(splits.train.x)))
    y = torch.from_numpy(np.array(splits.train.y))
    torch.manual_seed(stream_seed(experiment.seed, "init"))
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses, epoch = [], 0
    while len(losses) < experiment.budget.steps:
        epoch += 1
        generator = torch.Generator().manual_seed(stream_seed(experiment.seed, "batches") ^ epoch)
        for batch in torch.randperm(len(y), generator=generator).split(experiment.batch_size):
            optimizer.zero_grad()
            loss = loss_of(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == experiment.budget.steps:
                break
    return losses, model


@pytest.mark.parametrize("case", CASES)
def test_the_curve_equals_that_of_a_hand_written_loop(case):
    experiment, make_model, loss_of = CASES[case]
    ours = [loss for item in train(experiment) if isinstance(item, StepsDone) for loss in item.losses[0]]
    theirs, _ = hand_written(experiment, make_model, loss_of)
    assert len(ours) == len(theirs) == experiment.budget.steps
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-6


@pytest.mark.parametrize("case", ["mse", "bce", "lstm"])
def test_validation_figures_equal_those_of_torch_and_scikit_learn(case):
    experiment, make_model, loss_of = CASES[case]
    last = [item for item in train(experiment.but(budget=Budget(epochs=1))) if isinstance(item, EpochDone)][-1]
    _, model = hand_written(experiment.but(budget=Budget(epochs=None, steps=last.step)), make_model, loss_of)
    splits = experiment.data.splits(0)
    x = torch.from_numpy(np.array(splits.model_input(splits.validation.x)))
    y = torch.from_numpy(np.array(splits.validation.y))
    with torch.no_grad():
        output = model(x)
    expected = {
        "mse": lambda: r2_score(y, output[:, 0]),
        "bce": lambda: accuracy_score(y, output[:, 0] > 0),
        "lstm": lambda: accuracy_score(y, output.argmax(1)),
    }[case]()
    assert last.validation_loss[0] == pytest.approx(loss_of(output, y).item(), abs=1e-5)
    assert last.validation_accuracy[0] == pytest.approx(expected, abs=1e-6)
