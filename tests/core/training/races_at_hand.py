"""Small races for the tests of executors: experiments, series from their initial weights, and the batches of a run."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from core.data.toy import Spiral
from core.experiment.experiment import Experiment, Lane
from core.models.model import build
from core.optim.schedules import Clock, Cosine
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.executors.executor import Executor, Series
from core.training.executors.reference import Reference
from tests.core.samples import linear, optimizer_like, stack

CPU = torch.device("cpu")
TANH = stack(linear(6), "Tanh", linear(4), "Tanh", linear(2))
MIXED = (
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.03, "momentum": 0.9, "nesterov": True}),
    ("rmsprop", {"lr": 0.003}),
    ("adam", {"lr": 0.01, "weight_decay": 0.01}),
    ("adamw", {"lr": 0.005}),
    ("adagrad", {"lr": 0.05}),
)


def lanes(*kinds: tuple[str, dict[str, Any]]) -> tuple[Lane, ...]:
    return tuple(Lane(optimizer=optimizer_like(kind).but(**values)) for kind, values in kinds or MIXED)


def race(model: Any = TANH, **changes: Any) -> Experiment:
    """Six optimizers on the spiral, in batches of 10; every other lane with a falling learning rate."""
    mixed = tuple(lane.but(schedule=Cosine()) if index % 2 else lane for index, lane in enumerate(lanes()))
    made = Experiment(data=Spiral(n_points=200), model=model, lanes=mixed, batch_size=10, device="cpu")
    return made.but(**changes)


def batches(experiment: Experiment) -> RunBatches:
    splits = experiment.data.splits(experiment.seed)
    return RunBatches(experiment, splits, ResidentData(splits, splits.train, CPU))


def series_of(experiment: Experiment) -> list[Series]:
    shape = experiment.data.profile().input_shape
    return [
        Series(
            index=lane * experiment.repeats + repeat,
            lane_index=lane,
            repeat=repeat,
            lane=experiment.lanes[lane],
            model=build(experiment.model, shape, experiment.seed, repeat),
            clock=Clock(12, 120),
        )
        for lane in range(len(experiment.lanes))
        for repeat in range(experiment.repeats)
    ]


def reference_rows(experiment: Experiment, n: int) -> list[tuple[float, ...]]:
    """The curves that every executor must give."""
    return Reference(experiment, series_of(experiment), CPU).steps(batches(experiment), 1, n)


def furthest(rows: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """The largest difference of two losses; two NaN, or two infinities, are equal."""
    pairs = [pair for row, other in zip(rows, others, strict=True) for pair in zip(row, other, strict=True)]
    assert all(math.isfinite(a) == math.isfinite(b) for a, b in pairs)
    return max(abs(a - b) for a, b in pairs if math.isfinite(a))


def weights(executor: Executor) -> list[torch.Tensor]:
    return [tensor.clone() for one in executor.series for tensor in one.model.state_dict().values()]
