"""Figures of a model on data equal scikit-learn's, and the memory they take is bounded."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score
from torch import nn

from core.data.dataset import DataProfile, Split, unprepared
from core.models.cost import activation_bytes
from core.models.model import infer
from core.optim.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from core.training.batches import ResidentData
from core.training.executors.reference import draws_masks
from core.training.measures import CHUNK, CPU_BYTES, chunk_size, evaluation, score, score_sum
from tests.core.samples import linear, stack

RNG = np.random.default_rng(0)
CPU = torch.device("cpu")


def resident(x: np.ndarray, y: np.ndarray, modality: str = "tabular") -> ResidentData:
    task = "classification" if y.dtype == np.int64 else "regression"
    split = Split(x, y)
    profile = DataProfile(modality, x.shape[1:], ("a", "b"), len(x), 0, 0, task=task)
    return ResidentData(unprepared(profile, [split] * 3), split, CPU)


def drained(steps):
    """What a generator returns in the end."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize("chunk", [7, 40, 512])
def test_regression_is_scored_by_r2(chunk):
    x, y = RNG.normal(size=(40, 3)).astype(np.float32), (RNG.normal(size=40) * 3 + 50).astype(np.float32)
    models = [nn.Linear(3, 1), nn.Linear(3, 1)]
    losses, scores = drained(evaluation(models, MeanSquaredError().build(), resident(x, y), chunk))
    for model, loss, found in zip(models, losses, scores, strict=True):
        with torch.no_grad():
            predicted = model(torch.from_numpy(x))[:, 0].numpy()
        assert found == pytest.approx(r2_score(y, predicted), rel=1e-6)
        assert loss == pytest.approx(np.square(predicted.astype(float) - y).mean(), rel=1e-5)


def test_r2_of_the_mean_is_0_and_of_equal_targets_nobody_knows_it():
    y = torch.tensor([1.0, 2.0, 6.0])
    assert score(score_sum(nn.Identity(), torch.full((3, 1), 3.0), y), y) == pytest.approx(0)
    assert score(score_sum(nn.Identity(), y[:, None], y), y) == 1
    equal = torch.full((7,), 0.1)
    assert math.isnan(score(score_sum(nn.Identity(), torch.zeros(7, 1), equal), equal))


@pytest.mark.parametrize("end", [None, nn.Sigmoid()])
def test_one_output_is_right_by_its_sign_or_beyond_one_half(end):
    x, y = RNG.normal(size=(60, 3)).astype(np.float32), RNG.integers(0, 2, 60)
    model = nn.Sequential(nn.Linear(3, 1), *([end] if end else []))
    _, scores = drained(evaluation([model], BinaryCrossEntropy().build(), resident(x, y)))
    with torch.no_grad():
        positive = (model[0](torch.from_numpy(x))[:, 0] > 0).long()
    assert 0 < positive.sum() < 60
    assert scores[0] == pytest.approx(accuracy_score(y, positive))


def test_mixed_targets_count_as_their_largest_share():
    output = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    shares = torch.tensor([[0.6, 0.4], [0.7, 0.3], [0.1, 0.9]])
    assert score(score_sum(nn.Identity(), output, shares), shares) == pytest.approx(1 / 3)


def test_tokens_reach_the_model_as_they_are():
    x = RNG.integers(0, 9, (20, 5))
    x_of_batch, _ = resident(x, RNG.integers(0, 2, 20), "sequence").batch(torch.tensor([3, 1]))
    assert x_of_batch.dtype == torch.int64
    assert x_of_batch.tolist() == x[[3, 1]].tolist()


def test_unscaled_images_reach_the_model_as_floats():
    x = RNG.integers(0, 255, (6, 1, 4, 4)).astype(np.uint8)
    data = resident(x, RNG.integers(0, 2, 6), "image")
    assert torch.equal(data.batch(torch.tensor([2]))[0], torch.from_numpy(x[[2]]).float())
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    drained(evaluation([model], CrossEntropy().build(), data))


def test_a_large_model_is_evaluated_in_chunks_that_fit():
    wide = infer(stack("Flatten", linear(16_384), "ReLU", linear(16_384), linear(2)), (2,))
    assert chunk_size(infer(stack(linear(8), "Tanh", linear(2)), (2,))) == CHUNK
    assert chunk_size(wide) == CPU_BYTES // activation_bytes(wide) < CHUNK
    endless = infer(stack(*[linear(16_384)] * 60), (100_000_000,))
    assert chunk_size(endless) == 1


@pytest.mark.parametrize(
    ("module", "is_random"),
    [
        (nn.Dropout(0.2), True),
        (nn.Dropout2d(0.2), True),
        (nn.Dropout(0.0), False),
        (nn.LSTM(3, 4, 2, dropout=0.3), True),
        (nn.GRU(3, 4, 2), False),
        (nn.MultiheadAttention(4, 2, dropout=0.1), True),
        (nn.TransformerEncoderLayer(4, 2, dropout=0.0), False),
        (nn.TransformerEncoderLayer(4, 2, dropout=0.1), True),
        (nn.Linear(2, 2), False),
    ],
    ids=str,
)
def test_every_layer_that_draws_masks_is_known(module, is_random):
    assert any(draws_masks(inner) for inner in module.modules()) == is_random
