"""One look at every kept moment of a run: what its weights, gradients and activations are, and the optimizer's next step."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.errors import NotApplicable
from core.experiment.experiment import Experiment
from core.inspection.gradient_flow import backward, changes, norm, own_parameters
from core.inspection.weight_statistics import ValueHistory
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import loaded
from core.jobs.plane_lenses import thinned
from core.models.cost import activation_bytes
from core.models.model import build, infer
from core.models.modules.frozen import with_frozen
from core.optim.regularizers import average_of
from core.optim.schedules import clock_of
from core.results.weight_statistics import KINDS, WeightStatistics
from core.seeds import numpy_stream
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.beginnings import LANES
from core.training.checkpoints import TrainingState, load_state
from core.training.epoch_memory import EpochMemory
from core.training.executors.executor import Series
from core.training.executors.reference import Runner
from core.training.model_parts import Part, parts_of

if TYPE_CHECKING:
    from torch import nn

EXAMPLES = 256
"""Training examples in gradients, activations and losses, at most."""
LEAST_EXAMPLES = 16
MAX_MULTIPLY_ADDS = 2e11
"""What the examples of one moment may cost; large models see fewer of them."""
PART_BYTES = 64 * 2**20
"""What the activations of the examples that go through the model at once may take."""
MAX_ACTIVATIONS = 1 << 15
"""Activations of one layer that are counted, of each such part of the examples."""
MAX_MOMENTS = 32
"""Checkpoints that are looked at."""


def weights_over_time(experiment: Experiment, checkpoints: Sequence[ArtifactRef], series: int, desk: Desk) -> WeightStatistics:
    """All statistics of one series of a run.

    Raises:
        NotApplicable: the series is in none of the checkpoints.
    """
    moments = thinned(checkpoints, MAX_MOMENTS)
    look = Look(experiment, series)
    for done, ref in enumerate(moments):
        desk.progress(done, len(moments))
        look.at(load_state(desk.artifact(ref)))
    return look.result(len(checkpoints) - len(moments))


@dataclass(slots=True)
class _Table:
    """One row per moment."""

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    gradients: list[list[float]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    updates: list[list[float]] = field(default_factory=list)


class Look:
    """What one series was at one moment after the other. Every moment is put into one model of its own, never the live one."""

    def __init__(self, experiment: Experiment, series: int) -> None:
        self.experiment, self.series = experiment, series
        self.repeat = series % experiment.repeats
        splits = loaded(experiment.data, experiment.seed)
        self.data = ResidentData(splits, splits.train, torch.device("cpu"))
        self.source = RunBatches(experiment, splits, self.data)
        built = build(experiment.model, splits.profile.input_shape, experiment.seed, self.repeat)
        self.model = with_frozen(built, experiment.frozen)
        self.loss = experiment.loss.build()
        self.parts: list[Part] = parts_of(experiment.model.layers, self.model)
        self.layers: list[nn.Module] = [part.module for part in self.parts]
        self.chosen, self.n_parts = self._examples()
        n = len(self.parts)
        self.history = [ValueHistory() for _ in range(len(KINDS) * n)]
        self.table = _Table()
        self.lane = experiment.lanes[series // experiment.repeats]

    def _examples(self) -> tuple[np.ndarray, int]:
        """Which training examples are looked at, and in how many parts of one size: each counts alike in a histogram."""
        inference = infer(self.experiment.model, self.experiment.data.profile().input_shape)
        affordable = int(MAX_MULTIPLY_ADDS / max(1, 3 * inference.multiply_adds))
        n = min(len(self.data), EXAMPLES, max(LEAST_EXAMPLES, affordable))
        chosen = numpy_stream(self.experiment.seed, "probe").permutation(len(self.data))[:n]
        return np.sort(chosen), min(n, -(-n * activation_bytes(inference) // PART_BYTES))

    def at(self, state: TrainingState) -> None:
        """Look at one moment; nothing happens where the series was not there yet."""
        if self.series >= len(state.models):
            return
        self.model.load_state_dict(state.models[self.series])
        self.lane = LANES.validate_json(state.lanes)[self.series // self.experiment.repeats]
        moved, rate = self._next_step(state)
        self.table.steps.append(state.step)
        self.table.updates.append(moved)
        self.table.rates.append(rate)
        self._count()

    def _count(self) -> None:
        """Histograms and norms of the model as it is."""
        n = len(self.parts)
        for one in self.history:
            one.moment()
        activations = self.history[2 * n :]
        parts = [self.data.batch(torch.from_numpy(part)) for part in np.array_split(self.chosen, self.n_parts)]
        loss = backward(
            self.model, self.loss, parts, self.layers, lambda at, given: activations[at].add(_numbers(given), MAX_ACTIVATIONS)
        )
        self.table.losses.append(loss)
        own = [[one for _, one in pairs] for pairs in own_parameters(self.layers)]
        trained = [[one for one in each if one.requires_grad] for each in own]
        for at, each in enumerate(trained):
            for parameter in each:
                self.history[at].add(_numbers(parameter.detach()))
                if parameter.grad is not None:
                    self.history[n + at].add(_numbers(parameter.grad))
        self.table.gradients.append([norm(one.grad for one in each) for each in trained])
        self.table.weights.append([norm(each) for each in trained])

    def _next_step(self, state: TrainingState) -> tuple[list[float], float]:
        """How far each layer goes in the step that the run made next, and its learning rate. On a copy; torch's random state
        is left as it was. NaN where the series had ended."""
        nothing = [float("nan")] * len(self.parts)
        died = state.died_at[self.series] if self.series < len(state.died_at) else -1
        lane = self.series // self.experiment.repeats
        if died >= 0 or lane in state.removed:
            return nothing, float("nan")
        one = self._series_of(state, lane)
        optimizer = state.optimizers[self.series]
        with torch.random.fork_rng(devices=[]):
            runner = Runner(self.experiment, one, torch.device("cpu"))
            if optimizer["param_groups"]:
                runner.load(optimizer)
            number = state.step + 1
            before = [[each.detach().clone() for each in layer] for layer in _trained(self.experiment, one.model)]
            runner.step(self.source, number)
        if not one.is_alive:
            return nothing, one.rate(number)
        return changes(before, _trained(self.experiment, one.model)), one.rate(number)

    def _series_of(self, state: TrainingState, lane: int) -> Series:
        """A copy of the series that can be trained."""
        budget = self.experiment.budget
        clock = clock_of(len(self.data), self.source.size, budget.epochs, budget.steps)
        one = Series(self.series, lane, self.repeat, self.lane, copy.deepcopy(self.model), clock)
        if state.memories:
            one.remember(EpochMemory.of(state.memories[self.series]))
        return one

    def result(self, n_left_out: int) -> WeightStatistics:
        """What was seen.

        Raises:
            NotApplicable: nothing was.
        """
        table = self.table
        if not table.steps:
            raise NotApplicable("This lane is in none of the kept moments yet.", hint="Let the run go on for a while.")
        even = [one.even() for one in self.history]
        logarithmic = [one.logarithmic() for one in self.history]
        return WeightStatistics(
            steps=np.array(table.steps, np.int64),
            layers=tuple(part.name for part in self.parts),
            paths=tuple(part.path for part in self.parts),
            edges=tuple(edges for edges, _ in even),
            counts=tuple(counts for _, counts in even),
            log_edges=tuple(edges for edges, _ in logarithmic),
            log_counts=tuple(counts for _, counts in logarithmic),
            gradient_norms=np.array(table.gradients).T,
            weight_norms=np.array(table.weights).T,
            update_norms=np.array(table.updates).T,
            losses=np.array(table.losses),
            rates=np.array(table.rates),
            n_examples=len(self.chosen),
            optimizer=self.lane.label,
            unit=self.experiment.loss.unit,
            n_left_out=n_left_out,
            is_sampled=any(one.is_sampled for one in self.history),
            is_averaged=average_of(self.lane.regularizers) is not None,
        )


def _trained(experiment: Experiment, model: "nn.Module") -> list[list[torch.Tensor]]:
    """The trained numbers of every layer."""
    layers = [part.module for part in parts_of(experiment.model.layers, model)]
    return [[one for _, one in pairs if one.requires_grad] for pairs in own_parameters(layers)]


def _numbers(values: torch.Tensor) -> np.ndarray:
    numbers: np.ndarray = values.float().numpy()
    return numbers
