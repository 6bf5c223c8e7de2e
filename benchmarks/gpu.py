"""Recorded steps against eager ones on a CUDA device: a toy net, the seed MLP, the seed CNN and 32 lanes; and MNIST to 99 %.

Each executor makes the same steps from the same weights; what is timed is wall time of `Executor.steps` by calls of some
hundred steps each, as a run makes them, after warm-up; rounds alternate, and a figure is the median. `compiled` is the step by
torch.compile within a graph, to be chosen where it measures better; its set-up is reported beside it. The largest difference
between the losses of captured and eager steps is `curve_error`.

Last line: {"device": ..., "toy": {"captured_us": ..., "eager_us": ..., "times_faster": ...}, "mlp": ..., "cnn": ...,
"mlp_32": ..., "mnist": ...}. Without a CUDA device: {"device": null, "reason": ...}.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from core.data.rendered import RenderedDigits
from core.data.toy import Spiral
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.model import build
from core.models.presets import preset
from core.optim.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from core.optim.schedules import clock_of
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.device import device_memory, device_name
from core.training.executors.captured import Captured
from core.training.executors.captured_graph import Compiled, CudaGraphs
from core.training.executors.executor import Executor, Series
from core.training.executors.fast import Fast

CALL = 320
"""Steps of one call."""
COMPARED = 100
OPTIMIZERS = (SGD(), SGD(momentum=0.9), RMSprop(), Adam(), AdamW(), Adagrad())


def experiments() -> dict[str, Experiment]:
    """The workloads by name."""
    digits = RenderedDigits(n_examples=60_000)
    budget = Budget(epochs=None, steps=1_000_000)
    one = (Lane(optimizer=Adam()),)
    many = tuple(Lane(optimizer=OPTIMIZERS[place % 6], name=f"lane {place}") for place in range(32))
    mlp, cnn = preset("mlp-128-128").model(10), preset("cnn-32-64").model(10)
    toy = Experiment(
        data=Spiral(n_points=5000), model=preset("mlp-2d").model(2), lanes=one, batch_size=10, budget=budget, device="cuda"
    )
    image = Experiment(data=digits, model=mlp, lanes=one, batch_size=128, budget=budget, device="cuda")
    return {"toy": toy, "mlp": image, "cnn": image.but(model=cnn), "mlp_32": image.but(lanes=many)}


class Ground:
    """The batches of a workload on the device, and fresh series on them."""

    def __init__(self, experiment: Experiment, device: torch.device) -> None:
        self.experiment, self.device = experiment, device
        self._splits = experiment.data.splits(0)
        self.source = RunBatches(experiment, self._splits, ResidentData(self._splits, self._splits.train, device))

    def series(self) -> list[Series]:
        """One of each lane, from the same initial weights."""
        n_train, batch = len(self.source.data), self.source.size
        clock = clock_of(n_train, batch, None, self.experiment.budget.steps)
        shape = self._splits.profile.input_shape
        return [
            Series(index, index, 0, lane, build(self.experiment.model, shape, 0).to(self.device), clock)
            for index, lane in enumerate(self.experiment.lanes)
        ]


def measured(ground: Ground, rounds: int, *, is_compiled: bool) -> dict[str, Any]:
    """Microseconds per step of all lanes, by executor, and how far the curves are apart."""
    parts = (ground.experiment, ground.series(), ground.device)
    executors: dict[str, Executor] = {"eager": Fast(*parts)}
    executors["captured"] = Captured(ground.experiment, ground.series(), ground.device)
    if is_compiled:
        way = (Compiled(CudaGraphs()),)
        executors["compiled"] = Captured(ground.experiment, ground.series(), ground.device, recorders=way)
    found: dict[str, Any] = {}
    curves = {}
    for name, executor in executors.items():
        began = time.perf_counter()
        curves[name] = torch.tensor(executor.steps(ground.source, 1, COMPARED), dtype=torch.float64)
        found[f"{name}_first_{COMPARED}_s"] = round(time.perf_counter() - began, 3)
        if isinstance(executor, Captured) and any(executor.reasons()):
            found[f"{name}_not_recorded"] = sorted(set(filter(None, executor.reasons())))
    found["curve_error"] = float((curves["captured"] - curves["eager"]).abs().max())
    times = _times(executors, ground, rounds)
    found |= {f"{name}_us": round(statistics.median(each), 1) for name, each in times.items()}
    ratios = [eager / ours for eager, ours in zip(times["eager"], times["captured"], strict=True)]
    return found | {"times_faster": round(statistics.median(ratios), 2)}


def _times(executors: dict[str, Executor], ground: Ground, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in executors}
    for turn in range(rounds):
        first = COMPARED + 1 + turn * CALL
        for name, executor in executors.items():
            torch.cuda.synchronize()
            began = time.perf_counter()
            executor.steps(ground.source, first, CALL)
            torch.cuda.synchronize()
            times[name].append((time.perf_counter() - began) / CALL * 1e6)
    return times


def mnist() -> dict[str, Any]:
    """What benchmarks.mnist says on this device."""
    command = [sys.executable, "-m", "benchmarks.mnist", "--device=cuda"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out: it takes tens of seconds for each")
    parser.add_argument("--no-mnist", action="store_true")
    told = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(json.dumps({"device": None, "reason": "there is no CUDA device on this machine; nothing was measured"}))
        return
    device = torch.device("cuda")
    found: dict[str, Any] = {"device": device_name(device), "torch": torch.__version__, "cuda": torch.version.cuda}
    for name, experiment in experiments().items():
        found[name] = measured(Ground(experiment, device), told.rounds, is_compiled=not told.no_compile and name != "mlp_32")
        print(name, json.dumps(found[name]), flush=True)
    memory = device_memory(device)
    found["memory_used_mb"] = memory[0] // 2**20 if memory else None
    print(json.dumps(found | ({} if told.no_mnist else {"mnist": mnist()})))


if __name__ == "__main__":
    main()
