"""Many networks looked at together give the figures and surfaces that each gives alone."""

import numpy as np
import pytest
import torch

from core.models.model import build
from core.optim.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from core.training.batches import ResidentData
from core.training.many import ManyNetworks
from core.training.measures import evaluation
from core.training.plane import plane_outputs
from tests.core.samples import linear, spiral, stack

HIDDEN = (linear(8), "BatchNorm1d", "ReLU", ("Dropout", {"p": 0.5}))


def drained(stream):
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(
    ("loss", "n_outputs", "is_number"),
    [(CrossEntropy(label_smoothing=0.1), 3, False), (BinaryCrossEntropy(), 1, False), (MeanSquaredError(), 1, True)],
)
def test_figures_of_all_together_are_those_of_each_alone(loss, n_outputs, is_number):
    models = [build(stack(*HIDDEN, linear(n_outputs)), (2,), seed) for seed in range(5)]
    for model in models:
        model(torch.randn(20, 2))  # running statistics of their own
    data = ResidentData.__new__(ResidentData)
    generator = torch.Generator().manual_seed(0)
    data.x = torch.randn(130, 2, generator=generator)
    classes = torch.randint(0, max(2, n_outputs), (130,), generator=generator)
    data.y = torch.randn(130, generator=generator) if is_number else classes
    data.is_plain = True
    alone = drained(evaluation(models, loss.build(), data, 50))
    together = drained(evaluation(models, loss.build(), data, 50, together=ManyNetworks(models)))
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert all(model.training for model in models)


def test_planes_of_all_together_are_those_of_each_alone_and_weights_can_be_taken_anew():
    models = [build(spiral().model, (2,), seed) for seed in range(4)]
    grid = torch.randn(100, 2)
    many = ManyNetworks(models)
    for left, right in zip(plane_outputs(models, grid, 33, together=many), plane_outputs(models, grid), strict=True):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=0)
    before = many.outputs(grid)
    with torch.no_grad():
        models[2][0].weight.add_(1.0)
    assert torch.equal(many.outputs(grid), before)
    many.take(models)
    assert not torch.allclose(many.outputs(grid)[2], before[2])
    assert torch.equal(many.outputs(grid)[1], before[1])
