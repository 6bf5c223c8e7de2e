"""Who trains which series: a rule that was measured, whose answer is shown on the screen. It changes the speed alone."""

from collections.abc import Sequence

import torch

from core.experiment.experiment import Experiment
from core.settings import Settings
from core.training.executors.executor import Plan, Series
from core.training.executors.reference import Reference


def plan(experiment: Experiment, series: Sequence[Series], device: torch.device, settings: Settings) -> Plan:
    """The executors for these series; every series belongs to exactly one."""
    return Plan((Reference(experiment, series, device),), "Each network by itself, as torch.optim does it.")
