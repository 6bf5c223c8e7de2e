"""Who trains which series: a rule that was measured, whose answer is shown on the screen. It changes the speed alone.

The rule looks at the experiment and not at the clock, so that a resumed run has the executors that it had, to the last bit.
"""

from collections.abc import Sequence

import torch

from core.experiment.experiment import Experiment
from core.settings import Settings
from core.training.executors.batched import Batched
from core.training.executors.executor import Executor, Plan, Series
from core.training.executors.reference import Reference


def plan(experiment: Experiment, series: Sequence[Series], device: torch.device, settings: Settings) -> Plan:
    """The executors for these series; every series belongs to exactly one."""
    together = [one for one in series if not Batched.supports(experiment, one, device)]
    if len(together) < 2:
        together = []
    alone = [one for one in series if one not in together]
    executors: list[Executor] = []
    if together:
        executors.append(Batched(experiment, together, device))
    if alone:
        executors.append(Reference(experiment, alone, device))
    return Plan(tuple(executors), "")
