"""The executors that train some series together: planned anew when a lane joins, leaves or swaps its optimizer."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from core.events import Planned
from core.experiment.experiment import Experiment
from core.settings import Settings
from core.training.checkpoints import State
from core.training.executors.executor import BatchSource, Executor, Measures, Series
from core.training.executors.planner import plan

Row = tuple[float, ...]
OVER_PIPES = ("processes", "captured")
"""Executors for which several steps at once cost less than one by one."""


class Team:
    """All series of a run and who trains them. Rows and figures are in the order of the series.

    Args:
        states: what is known of their optimizers, by index of the series, as torch.optim's state_dict.
    """

    def __init__(
        self,
        experiment: Experiment,
        series: Sequence[Series],
        device: torch.device,
        settings: Settings,
        states: dict[int, State] | None = None,
    ) -> None:
        states = states or {}
        self.series = tuple(series)
        alive = [one for one in self.series if one.is_alive]
        self._resting = {one.index: states.get(one.index, {}) for one in self.series if not one.is_alive}
        made = plan(experiment, alive, device, settings) if alive else None
        self.executors: tuple[Executor, ...] = made.executors if made else ()
        self.reason = made.reason if made else ""
        self._place = {id(one): place for place, one in enumerate(self.series)}
        for executor in self.executors:
            for one in executor.series:
                if state := states.get(one.index):
                    executor.load_optimizer_state(one, state)

    @property
    def is_over_pipes(self) -> bool:
        """Whether several steps at once cost less than one by one."""
        return any(executor.name in OVER_PIPES for executor in self.executors)

    def executor_of(self, series: Series) -> Executor | None:
        """Who trains this series; None for one that rests."""
        return next((executor for executor in self.executors if series in executor.series), None)

    def planned(self, step: int) -> Planned:
        """Who trains which series from step `step + 1` on."""
        found = (self.executor_of(one) for one in self.series)
        return Planned(step, tuple(executor.name if executor else "" for executor in found), self.reason)

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[Row]:
        """As Executor.steps; NaN for a series that rests."""
        if len(self.executors) == 1 and self.executors[0].series == self.series:
            return self.executors[0].steps(source, first, n, is_measured=is_measured)
        table = [[math.nan] * len(self.series) for _ in range(n)]
        size = n if self.is_over_pipes else 1  # step by step all executors share one batch
        for start in range(0, n, size):
            for executor in self.executors:
                rows = executor.steps(source, first + start, size, is_measured=is_measured and start + size >= n)
                for row, told in zip(table[start : start + size], rows, strict=True):
                    for one, loss in zip(executor.series, told, strict=True):
                        row[self._place[id(one)]] = loss
        return [tuple(row) for row in table]

    def measures(self) -> list[Measures]:
        """Statistics of the last step."""
        found = [Measures()] * len(self.series)
        for executor in self.executors:
            for one, measures in zip(executor.series, executor.measures(), strict=True):
                found[self._place[id(one)]] = measures
        return found

    def optimizer_states(self) -> dict[int, State]:
        """The optimizer state of every series by its index, as torch.optim's state_dict."""
        states: dict[int, dict[str, Any]] = dict(self._resting)
        for executor in self.executors:
            states |= {one.index: executor.optimizer_state(one) for one in executor.series}
        return states

    def close(self) -> None:
        """Let go of processes."""
        for executor in self.executors:
            executor.close()
