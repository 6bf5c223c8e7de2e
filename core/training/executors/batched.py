"""All lanes as one network: stacked weights, one forward and one backward pass for all, then each lane's own update rule."""

import math
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment
from core.models.model import infer
from core.optim.penalties import after_step, average_step, before_step
from core.optim.regularizers import average_of
from core.optim.rules_fused import group_of_one
from core.optim.rules_group import Group
from core.optim.rules_menu import rule_for
from core.optim.schedules import Constant
from core.training.executors.executor import BatchSource, ExecutorName, Measures, Series
from core.training.executors.stacked_measures import StackedMeasures
from core.training.executors.stacked_memory import StackedMemory
from core.training.executors.stacked_network import StackedNetwork, missing_layer, missing_trained_layer

SMALL_NET = 10_000
"""Parameters up to which all weights of a network lie in one row, and one rule updates all networks; measured in planner.py."""
LOOK_AHEAD = (16, 256)
"""Steps for which coefficients are computed at once, at first and at most: each time twice as many."""


def is_small(experiment: Experiment, device: torch.device) -> bool:
    """Whether the number of operations counts and not their size, as always on a GPU."""
    return device.type != "cpu" or trained_inference(experiment).n_parameters <= SMALL_NET


def is_small_and_plain(experiment: Experiment) -> bool:
    """Whether the networks are small and simple enough to be looked at together."""
    shape = experiment.data.profile().input_shape
    return infer(experiment.model, shape).n_parameters <= SMALL_NET and not missing_layer(experiment, shape)


def _trained(series: Series) -> list[nn.Parameter]:
    return [parameter for parameter in series.model.parameters() if parameter.requires_grad]


class Batched:
    """Trains networks of fully connected layers together. Living series have a row each; one that dies gives it up."""

    name: ClassVar[ExecutorName] = "batched"

    def __init__(self, experiment: Experiment, series: Sequence[Series], device: torch.device) -> None:
        self.series = tuple(series)
        self._experiment = experiment
        self._shape = experiment.data.profile().input_shape
        self._is_small = is_small(experiment, device)
        self._measures: Sequence[Measures] = [Measures()] * len(self.series)
        self._last = 0
        self._resting: dict[int, dict[str, Any]] = {}
        self._rows: list[Series] = []
        self._groups: list[Group] = []
        for one in self.series:
            one.model.train()
        self._stack([one for one in self.series if one.is_alive])

    @staticmethod
    def supports(experiment: Experiment, series: Series, device: torch.device) -> str:
        """Why this series cannot be trained so, in words; "" if it can."""
        if experiment.precision != "float32" or experiment.accumulation > 1:
            return "bfloat16 and gradient accumulation have no stacked form"
        if rule_for(series.lane.optimizer) is None:
            return f"{series.lane.optimizer.label} has no stacked form"
        return missing_trained_layer(experiment, experiment.data.profile().input_shape)

    def _stack(self, series: Sequence[Series]) -> None:
        """Give each of these a row: families side by side in small networks, else repeats side by side."""
        states = {id(one): self.optimizer_state(one) for one in self._rows}
        self._rows = sorted(series, key=self._family if self._is_small else lambda one: one.repeat)
        self._groups = []
        if not self._rows:
            return
        self._memory = StackedMemory([one.model for one in self._rows], is_one_block=self._is_small)
        self._network = StackedNetwork(self._experiment, self._rows, self._memory, self._shape)
        self._measured = StackedMeasures(self._memory)
        self._order = [self._rows.index(one) if one in self._rows else -1 for one in self.series]
        self._averaged = [one for one in self._rows if one.average is not None]
        self._regularized = [one for one in self._rows if one.lane.regularizers]
        self._parameters = {one.index: _trained(one) for one in self._rows}
        self._build_groups()
        for one in self._rows:
            if id(one) in states:
                self.load_optimizer_state(one, states[id(one)])

    def _family(self, one: Series) -> str:
        rule = rule_for(one.lane.optimizer)
        return "" if rule is None else rule.family.update.__name__

    def _build_groups(self) -> None:
        start = 0
        while start < len(self._rows):
            end = start + 1
            while self._is_small and end < len(self._rows) and self._family(self._rows[end]) == self._family(self._rows[start]):
                end += 1
            blocks = [(p[start:end], g[start:end]) for p, g in self._memory.blocks]
            members = [one.lane.optimizer for one in self._rows[start:end]]
            self._groups.append(Group(members, blocks) if self._is_small else group_of_one(members[0], blocks))
            start = end
        self._places = {
            one.index: (group, row)
            for one, (group, row) in zip(
                self._rows, [(group, row) for group in self._groups for row in range(len(group.members))], strict=True
            )
        }
        self._ahead_until = 0
        self._plateaus: tuple[float, ...] = ()

    @torch.no_grad()
    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """As in Executor."""
        if not all(one.is_alive for one in self._rows):
            self._give_up([one for one in self._rows if not one.is_alive])
        plateaus = tuple(one.plateau_factor for one in self._rows)
        if plateaus != self._plateaus or first != self._last + 1:
            self._plateaus, self._ahead_until = plateaus, 0
        if not self._ahead_until:
            self._horizon = LOOK_AHEAD[0]
        rows = []
        for number in range(first, first + n):
            if not self._rows:
                rows.append((math.nan,) * len(self.series))
                continue
            if number > self._ahead_until:
                self._look_ahead(number)
            rows.append(self._step(source, number, is_measured=is_measured and number == first + n - 1))
        self._last = first + n - 1
        return rows

    def _look_ahead(self, first: int) -> None:
        """The coefficients of the steps from `first` on."""
        n = self._horizon
        self._horizon = min(2 * n, LOOK_AHEAD[1])
        rates = np.array([self._rates(one, first, n) for one in self._rows]).T
        start = 0
        for group in self._groups:
            end = start + len(group.members)
            group.look_ahead(rates[:, start:end])
            start = end
        self._ahead_until = first + n - 1

    def _rates(self, one: Series, first: int, n: int) -> list[float]:
        if isinstance(one.lane.schedule, Constant):
            return [one.rate(first)] * n
        return [one.rate(number) for number in range(first, first + n)]

    def _step(self, source: BatchSource, number: int, *, is_measured: bool) -> tuple[float, ...]:
        batches = [source.batch(repeat, number) for repeat in self._network.repeats]
        output, losses, gradient = self._network.forward(batches, number)
        values: list[float] = losses.tolist()
        dying = [] if math.isfinite(math.fsum(values)) else self._dying(values, number)
        start = time.perf_counter()
        if is_measured:
            accuracies = self._measured.accuracies(self._rows[0].model, output, self._network.targets(batches))
        cost_s = time.perf_counter() - start
        self._network.backward(gradient())
        if is_measured:
            self._measured.begin(accuracies, cost_s)
        self._update(number, dying)
        if is_measured:
            found = self._measured.end()
            self._measures = [found[row] if row >= 0 and self._rows[row].is_alive else Measures() for row in self._order]
        told = tuple([values[row] if row >= 0 else math.nan for row in self._order])
        if dying:
            self._give_up(dying)
        return told

    def _dying(self, values: Sequence[float], number: int) -> list[Series]:
        dying = [one for one, value in zip(self._rows, values, strict=True) if not math.isfinite(value)]
        for one in dying:
            one.died_at = number
        return dying

    def _update(self, number: int, dying: Sequence[Series]) -> None:
        kept = [(*self._places[one.index], one) for one in dying]
        before = [group.kept(row) for group, row, _ in kept]
        regularized = [one for one in self._regularized if one.is_alive]
        for one in regularized:
            before_step(one.lane.regularizers, self._parameters[one.index], one.rate(number))
        for group in self._groups:
            group.step()
        for one in regularized:
            after_step(one.lane.regularizers, self._parameters[one.index])
        for (group, row, _), tensors in zip(kept, before, strict=True):
            group.put_back(row, tensors)
        for one in self._averaged:
            regularizer = average_of(one.lane.regularizers)
            if regularizer is not None and one.average is not None and one.is_alive:
                average_step(regularizer, one.average, one.model, number)

    def _give_up(self, leaving: Sequence[Series]) -> None:
        """Let go of the rows of these; their weights stay where they are, for they are trained no more."""
        self._resting |= {one.index: self.optimizer_state(one) for one in leaving}
        self._stack([one for one in self._rows if one not in leaving])

    def measures(self) -> Sequence[Measures]:
        """As in Executor."""
        return [found if one.is_alive else Measures() for one, found in zip(self.series, self._measures, strict=True)]

    def optimizer_state(self, series: Series) -> dict[str, Any]:
        """As in Executor."""
        if series.index in self._resting:
            return self._resting[series.index]
        parameters = _trained(series)
        optimizer = series.lane.optimizer.build(parameters, parameters[0].device.type)
        state: dict[str, Any] = optimizer.state_dict()
        if series.index in self._places:
            group, row = self._places[series.index]
            made = group.torch_state(row, self._memory.places)
            if made:
                state["state"] = made
                for kept in state["param_groups"]:
                    kept["lr"] = series.rate(max(1, self._last))
        return state

    def load_optimizer_state(self, series: Series, state: dict[str, Any]) -> None:
        """As in Executor."""
        if series.index in self._places:
            group, row = self._places[series.index]
            group.load_torch_state(row, self._memory.places, state["state"])
            self._ahead_until = 0
        else:
            self._resting[series.index] = state

    def retune(self, series: Series) -> None:
        """As in Executor."""
        if series.index in self._places:
            group, row = self._places[series.index]
            group.retune(row, series.lane.optimizer)
            self._ahead_until = 0

    def close(self) -> None:
        """Nothing to let go of: the models keep their rows."""
