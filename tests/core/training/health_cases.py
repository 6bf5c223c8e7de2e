"""A training loop around the doctor for its tests: one step after the other by the reference executor, looks by number."""

import math
from collections.abc import Iterator

import torch

from core.events import Diagnosed, EpochDone, StepsDone
from core.experiment.experiment import Experiment
from core.models.model import build
from core.optim.schedules import Clock
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.executors.executor import Series
from core.training.executors.reference import Reference
from core.training.health import Doctor
from core.training.measures import evaluation

CPU = torch.device("cpu")
REPORT = 20
"""Steps per report."""


class Ward:
    """A run with its doctor. Data are on the CPU; looks happen every `every` steps, and in the first three."""

    def __init__(self, experiment: Experiment) -> None:
        splits = experiment.data.splits(experiment.seed)
        self.experiment = experiment
        self.data = ResidentData(splits, splits.train, CPU)
        self.validation = ResidentData(splits, splits.validation, CPU)
        self.source = RunBatches(experiment, splits, self.data)
        self.loss = experiment.loss.build()
        per_epoch = self.source.steps_per_epoch
        total = experiment.budget.steps or (experiment.budget.epochs or 1) * per_epoch
        self.series = [
            Series(
                lane,
                lane,
                0,
                one,
                build(experiment.model, splits.profile.input_shape, experiment.seed),
                Clock(per_epoch, total),
            )
            for lane, one in enumerate(experiment.lanes)
        ]
        self.executor = Reference(experiment, self.series, CPU)
        self.doctor = Doctor(experiment, self.series, self.data, self.loss)
        self.doctor.hearings.is_due = lambda now: True  # by number and not by time
        self.step = 0

    def train(self, n_steps: int, every: int = 25) -> Iterator[Diagnosed]:
        """What the doctor tells in the next steps."""
        rows: list[tuple[float, ...]] = []
        for number in range(self.step + 1, self.step + n_steps + 1):
            is_seen = number % every == 0 or number <= 3
            if is_seen:
                self.doctor.before_step()
            rows.append(self.executor.steps(self.source, number, 1)[0])
            self.step = number
            if is_seen:
                yield from self.doctor.after_step(number)
            ends = number % self.source.steps_per_epoch == 0
            if len(rows) == REPORT or ends:
                yield from self.doctor.hear(StepsDone(number - len(rows) + 1, 1, tuple(zip(*rows, strict=True)), (), 0.0))
                rows = []
            for one in [one for one in self.series if one.died_at == number]:
                yield from self.doctor.diverged(one, self.source.batch(0, number))
            if not any(one.is_alive for one in self.series):
                return
            if ends:
                yield from self.doctor.hear(self.epoch())

    def epoch(self) -> EpochDone:
        """The figures of the epoch that has just ended."""
        figures = []
        for data in (self.data, self.validation):
            telling = evaluation([one.model for one in self.series], self.loss, data)
            while True:
                try:
                    next(telling)
                except StopIteration as end:
                    figures += end.value
                    break
        return EpochDone(self.step // self.source.steps_per_epoch, self.step, *figures, 0.0)


def codes(told: Iterator[Diagnosed]) -> dict[str, Diagnosed]:
    """The first finding of each code."""
    found: dict[str, Diagnosed] = {}
    for one in told:
        assert math.isfinite(one.step)
        found.setdefault(one.code, one)
    return found
