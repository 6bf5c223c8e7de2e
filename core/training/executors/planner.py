"""Who trains which series: a rule that was measured, whose answer is shown on the screen. It changes the speed alone.

On a CPU, milliseconds of process time per step of all lanes (one thread of a Xeon with AVX512, six optimizers in turn):

    network        lanes   one by one   Batched, one row each   Batched, large
    2-8-8-2            1         0.28                    0.21                -
    2-8-8-2           16         6.47                    0.34             1.33
    2-64-64-2         16         6.98                    1.06             1.77
    784-16-10         16         6.49                    1.84             1.74
    784-128-128-10     1         1.56                       -             1.45
    784-128-128-10    16        22.5                     25.4             17.3
    784-1000-...      16       131                      215              119

So whatever Batched can train, it trains, one network alone too. Convolutions, recurrence and attention lose by stacking (facts:
0.4 to 0.75 times); they go one by one. Where a step of all takes some milliseconds, processes share the lanes. On CUDA a step
costs its number of kernels: recorded steps for few lanes, stacked networks for many.

The rule looks at the experiment and not at the clock, so that a resumed run has the executors that it had, to the last bit.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

import torch

from core.experiment.experiment import Experiment
from core.models.model import infer
from core.settings import Settings
from core.training.executors.batched import Batched, is_small
from core.training.executors.captured import Captured
from core.training.executors.executor import Executor, Plan, Series
from core.training.executors.fast import Fast
from core.training.executors.processes import Processes

WORTH_PROCESSES = 300e6
"""Floating-point operations of one step of all series from which on processes pay: some 4 ms, against 0.2 ms of messages."""
WORTH_STACKING = 8
"""Lanes on CUDA from which on one step of all, some 70 kernels started by hand, takes less than as many recorded steps of some
70 µs each. Estimated, not measured: no GPU was at hand."""
FULL_BATCH = 1000
"""Examples that a step on all of them is taken to have."""


def plan(experiment: Experiment, series: Sequence[Series], device: torch.device, settings: Settings) -> Plan:
    """The executors for these series; every series belongs to exactly one."""
    executors: tuple[Executor, ...]
    if settings.one_by_one:
        return Plan((Fast(experiment, series, device),), "Each network by itself, as LAYERWISE_ONE_BY_ONE says.")
    n_processes = _n_processes(experiment, series, device, settings)
    if n_processes > 1:
        inner = partial(_in_one_process, experiment, device=device)
        executors = (Processes(experiment, series, device, n_processes=n_processes, inner=inner),)
    else:
        executors = _in_one_process(experiment, series, device)
    return Plan(executors, _reason(experiment, series, device, n_processes))


def _in_one_process(experiment: Experiment, series: Sequence[Series], device: torch.device) -> tuple[Executor, ...]:
    together, captured, alone = _split(experiment, series, device)
    made: list[Executor] = [Batched(experiment, together, device)] if together else []
    made += [Captured(experiment, captured, device)] if captured else []
    return (*made, Fast(experiment, alone, device)) if alone else tuple(made)


def _split(
    experiment: Experiment, series: Sequence[Series], device: torch.device
) -> tuple[list[Series], list[Series], list[Series]]:
    """Which are trained as one network, which by recorded steps, and which one by one."""
    together = [one for one in series if not Batched.supports(experiment, one, device)]
    if device.type == "cuda" and len(together) < WORTH_STACKING:
        together = []
    rest = [one for one in series if one not in together]
    captured = [one for one in rest if not Captured.supports(experiment, one, device)]
    return together, captured, [one for one in rest if one not in captured]


def _n_processes(experiment: Experiment, series: Sequence[Series], device: torch.device, settings: Settings) -> int:
    """How many processes share the series; 1 where nothing is gained, or where a fork is not safe (more threads, a GPU)."""
    if device.type != "cpu" or sys.platform != "linux" or torch.get_num_threads() > 1:
        return 1
    batch = FULL_BATCH if experiment.batch_size == "full" else experiment.batch_size
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    operations = 6 * inference.multiply_adds * batch * len(series)  # forward, and twice as much backward
    if operations < WORTH_PROCESSES:
        return 1
    return min(settings.lane_processes, len(os.sched_getaffinity(0)), len(series))


def _reason(experiment: Experiment, series: Sequence[Series], device: torch.device, n_processes: int) -> str:
    """A sentence for the screen."""
    together, captured, alone = _split(experiment, series, device)
    parts = []
    if len(together) == 1:
        parts.append("One network of fully connected layers, its backward pass written out")
    elif together and is_small(experiment, device):
        parts.append(f"{len(together)} networks as one: a step of all takes about as many operations as a step of one")
    elif together:
        parts.append(f"{len(together)} networks side by side: each its own matrix products, all else for all of them at once")
    if captured:
        parts.append(f"{_count(captured)} by steps that the GPU has recorded")
    if alone:
        why = Batched.supports(experiment, alone[0], device)
        parts.append(f"{_count(alone)} by itself with fused updates" + (f": {why}" if why else ""))
    text = "; ".join(parts)
    return f"{text}, spread over {n_processes} processes." if n_processes > 1 else f"{text}."


def _count(series: Sequence[Series]) -> str:
    return "1 network" if len(series) == 1 else f"{len(series)} networks, each"
