"""Lanes spread over forked processes: this one trains a share, and each child another, on the same batches."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from core.errors import TrainingError
from core.experiment.experiment import Experiment
from core.training.executors.executor import BatchSource, Executor, ExecutorName, Measures, Series
from core.training.executors.lane_process import (
    GiveState,
    LaneProcess,
    MakeSteps,
    Retune,
    StepsMade,
    TakeState,
    merged_steps,
    packed,
    unpacked,
)

Inner = Callable[[Sequence[Series]], Sequence[Executor]]
"""The executors of a share, which train in one process."""


class Processes:
    """Splits its series evenly. Children are forked at the first step, from a process with one thread that never saw a GPU.

    What is asked before the first step is done here and inherited. Several steps at once cost one message.
    """

    name: ClassVar[ExecutorName] = "processes"

    def __init__(
        self, experiment: Experiment, series: Sequence[Series], device: torch.device, *, n_processes: int, inner: Inner
    ) -> None:
        if device.type != "cpu":
            raise TrainingError("Lanes are spread over processes on the CPU alone.", hint="Set LAYERWISE_LANE_PROCESSES=1.")
        self.series = tuple(series)
        self._shares = [inner(self.series[place::n_processes]) for place in range(min(n_processes, len(self.series)))]
        self._children: list[LaneProcess] = []
        self._source: BatchSource | None = None
        self._measures: dict[int, Measures] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """The children; none before the first step."""
        return tuple(child.pid for child in self._children)

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """As in Executor."""
        if self._source is None:
            self._fork(source)
        elif source is not self._source:
            raise ValueError("lanes in processes have the batches that they were forked with")
        for child in self._children:
            child.ask(MakeSteps(first, n, is_measured, child.conditions()))
        own = [one for executor in self._shares[0] for one in executor.series]
        rows = merged_steps(self._shares[0], source, first, n, is_measured=is_measured)
        found = [measures for executor in self._shares[0] for measures in executor.measures()] if is_measured else []
        self._measures = dict(zip((one.index for one in own), found, strict=False))
        parts = [(own, rows), *((list(child.series), self._made(child)) for child in self._children)]
        order = [one.index for part, _ in parts for one in part]
        places = [order.index(one.index) for one in self.series]
        table = [sum(each, ()) for each in zip(*(told for _, told in parts), strict=True)]
        return [tuple(row[place] for place in places) for row in table]

    def _fork(self, source: BatchSource) -> None:
        self._source = source
        for share in self._shares[1:]:
            self._children.append(LaneProcess(share, source, self._children))
        del self._shares[1:]

    def _made(self, child: LaneProcess) -> list[tuple[float, ...]]:
        made: StepsMade = child.answer()
        for one, died_at in zip(child.series, made.died_at, strict=True):
            one.died_at = died_at
        self._measures |= dict(zip((one.index for one in child.series), made.measures, strict=False))
        return made.rows

    def measures(self) -> Sequence[Measures]:
        """As in Executor."""
        return [self._measures.get(one.index, Measures()) if one.is_alive else Measures() for one in self.series]

    def _told(self, series: Series, message: Callable[[int], Any]) -> Any:
        """What the child of this series answers; `message` gets the place of the series there."""
        child = next(child for child in self._children if series in child.series)
        child.ask(message(child.series.index(series)))
        return child.answer()

    def _here(self, series: Series) -> Executor | None:
        """The executor in this process that trains this series."""
        return next((executor for share in self._shares for executor in share if series in executor.series), None)

    def optimizer_state(self, series: Series) -> dict[str, Any]:
        """As in Executor."""
        here = self._here(series)
        return here.optimizer_state(series) if here else unpacked(self._told(series, GiveState))

    def load_optimizer_state(self, series: Series, state: dict[str, Any]) -> None:
        """As in Executor."""
        here = self._here(series)
        if here:
            here.load_optimizer_state(series, state)
        else:
            self._told(series, lambda place: TakeState(place, packed(state)))

    def retune(self, series: Series) -> None:
        """As in Executor."""
        here = self._here(series)
        if here:
            here.retune(series)
        else:
            self._told(series, lambda place: Retune(place, series.lane))

    def close(self) -> None:
        """End the children. Weights stay where they are, in memory of this process."""
        for child in self._children:
            child.end()
        self._children = []
        for executor in (executor for share in self._shares for executor in share):
            executor.close()
