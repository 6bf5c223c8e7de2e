"""Series on a batch source, for tests of executors without a whole run."""

from dataclasses import dataclass
from typing import Any

import torch

from core.experiment.experiment import Experiment
from core.models.model import build
from core.optim.schedules import Clock
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.executors.executor import Series

CPU = torch.device("cpu")


@dataclass
class Ground:
    """What an executor is made from."""

    experiment: Experiment
    series: list[Series]
    source: RunBatches

    def made(self, cls: type, **more: Any) -> Any:
        return cls(self.experiment, self.series, CPU, **more)


def ground(experiment: Experiment) -> Ground:
    """Fresh series of every lane and repeat, from the same initial weights at each call, and the run's batches."""
    splits = experiment.data.splits(experiment.seed)
    source = RunBatches(experiment, splits, ResidentData(splits, splits.train, CPU))
    series = []
    for lane_index, lane in enumerate(experiment.lanes):
        for repeat in range(experiment.repeats):
            model = build(experiment.model, splits.profile.input_shape, experiment.seed, repeat)
            clock = Clock(source.steps_per_epoch, experiment.budget.steps)
            one = Series(len(series), lane_index, repeat, lane, model, clock)
            if any(regularizer.moment == "average" for regularizer in lane.regularizers):
                one.average = build(experiment.model, splits.profile.input_shape, experiment.seed, repeat)
            series.append(one)
    return Ground(experiment, series, source)


def curves(rows: list[tuple[float, ...]]) -> torch.Tensor:
    """Losses (steps, series), float64."""
    return torch.tensor(rows, dtype=torch.float64)
