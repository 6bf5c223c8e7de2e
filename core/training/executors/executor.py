"""What an executor is: it makes the steps of some series, and keeps their models and optimizer states up to date."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.optim.schedules import Clock
from core.training.epoch_memory import EpochMemory

ExecutorName = Literal["reference", "fast", "batched", "processes", "captured"]
Batch = tuple[torch.Tensor, torch.Tensor]
"""Inputs as the model receives them, (B, *shape), and targets (B,) or (B, K)."""


class BatchSource(Protocol):
    """The batches of a run: a function of (repeat, step number) alone, the same for all lanes of a repeat."""

    def batch(self, repeat: int, number: int) -> Batch:
        """What the step `number` (from 1) of a repeat trains on. The last answers are kept: asking again is free."""

    def whole(self) -> Batch:
        """The whole training split, for full-batch gradient descent. The same tensors at each call."""


@dataclass(slots=True, eq=False)
class Series:
    """One lane of one repeat. Its model starts from the initial weights of the repeat, the same for all lanes."""

    index: int
    """Its place in every per-series tuple."""
    lane_index: int
    repeat: int
    lane: Lane
    """As it is now: changes by hand are in it."""
    model: nn.Module
    """Executors may move its parameters into memory of theirs, but its parameters and buffers must always be the present ones
    when `steps` has returned, so that evaluations, surfaces and checkpoints read them here."""
    clock: Clock
    plateau_factor: float = 1.0
    """What a Plateau schedule has come to; 1 for all others."""
    memory: EpochMemory = field(default_factory=EpochMemory)
    """What it remembers of its validation losses."""
    died_at: int = -1
    """The step of the first loss that was not finite; -1 while there was none."""
    is_removed: bool = False
    average: nn.Module | None = None
    """A copy of the model that holds averaged weights (WeightAverage); it is evaluated in place of the model."""

    @property
    def is_alive(self) -> bool:
        """Whether it is trained."""
        return self.died_at < 0 and not self.is_removed

    @property
    def evaluated(self) -> nn.Module:
        """The model whose figures are shown."""
        return self.average or self.model

    def remember(self, memory: EpochMemory) -> None:
        """Take over what is known after an epoch."""
        self.memory, self.plateau_factor = memory, memory.plateau.factor

    def rate(self, number: int) -> float:
        """The learning rate of step `number`, from 1."""
        return self.lane.optimizer.lr * self.lane.schedule.factor(number - 1, self.clock) * self.plateau_factor


@dataclass(frozen=True, slots=True)
class Measures:
    """Statistics of one step of one series. Norms are L2 over all parameters; the gradient's as the loss gives it, before
    penalties and clipping."""

    gradient_norm: float = math.nan
    update_norm: float = math.nan
    """Size of the change of the weights in this step."""
    weight_norm: float = math.nan
    """After the step."""
    accuracy: float = math.nan
    """Of the batch, in [0, 1]; for regression its R²."""
    cost_s: float = 0.0
    """What measuring took."""


class Executor(Protocol):
    """Makes the steps of its series. Whoever makes one gives the constructor `(experiment, series, device)`.

    A loss that is not finite leaves weights and optimizer state of its series as they were, sets its `died_at`, and that
    series is not trained any more; the others go on.
    """

    name: ClassVar[ExecutorName]
    series: tuple[Series, ...]

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """Make the steps `first` to `first + n - 1` (from 1); for each the batch losses before its update, one per series of
        `self.series`, NaN for a series that is not alive. With `is_measured` the last one leaves its `measures`."""

    def measures(self) -> Sequence[Measures]:
        """Statistics of the last step, one per series; those of dead ones are NaN."""

    def optimizer_state(self, series: Series) -> dict[str, Any]:
        """The state_dict that torch.optim's optimizer of this lane would have, whatever is used inside: tensors may be
        views, numbers plain. So a checkpoint does not depend on the executor."""

    def load_optimizer_state(self, series: Series, state: dict[str, Any]) -> None:
        """The other way. The model's weights were loaded into `series.model` by `load_state_dict` before."""

    def retune(self, series: Series) -> None:
        """`series.lane` has other numbers now (same optimizer, same kinds of regularizers); they hold from the next step on."""

    def close(self) -> None:
        """Let go of processes and memory. Models and their parameters stay usable."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who trains which series, and why."""

    executors: tuple[Executor, ...]
    reason: str
    """A sentence for the screen: "32 small networks as one batched network: 24 times fewer operations"."""


def mask_seed(experiment: Experiment, repeat: int, number: int) -> int:
    """The seed of the dropout masks of one step: equal for all lanes of a repeat."""
    from core.seeds import stream_seed

    return (stream_seed(experiment.seed, "dropout", repeat) + number) % 2**63
