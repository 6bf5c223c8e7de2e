"""Many lanes trained together against the same lanes one after the other with torch.optim. One thread.

The lanes cycle through SGD, momentum, RMSprop, Adam, AdamW and Adagrad, each round with another learning rate; all start from
the same weights and see the same batches. Ours is what the page runs: the planner's executors, asked for some steps at a time.
The other side is the loop that one would write by hand, its batches made before, with torch.optim as it comes.

Both are judged by process CPU time in one process; rounds alternate, and the figure is the median of their paired ratios.
`toy` is a 2-4-2-2 tanh net (TensorFlow Playground's 2-4-2-1 with a logit for each class) on the spiral in batches of 10, `mlp`
the preset 784-128-128-10 and `cnn` the preset 32-64-FC64, both on digits in batches of 128.

`curve_error` is the largest difference of any of our batch losses to those of the same lane alone with torch.optim, over 100
steps: in float32 for `toy` and `mlp`, in float64 (and batches of 32) for `cnn`. In float32 no two ways to compute that CNN
agree for 100 steps: sooner or later a unit lies within a rounding error of the bend of its ReLU, and takes the other branch.
With --floats the details have both numbers for it: ours (`curve_error_float32`), and how far torch.optim is from itself when
the very same loop has its images and kernels in channels-last order (`torch_error_float32`).

Last line: {"toy_16": ..., "toy_32": ..., "mlp_16": ..., "cnn_4": ..., "curve_error": ..., "details": ...}
"""

import argparse
import copy
import json
import os
import statistics
import time
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from core.data.rendered import RenderedDigits
from core.data.toy import Spiral
from core.experiment.experiment import Experiment, Lane
from core.models.layers.activation import Tanh
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, build
from core.models.presets import preset
from core.optim.optimizers import AnyOptimizer
from core.optim.schedules import Clock
from core.settings import Settings
from core.spec import choice_class
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.executors.executor import Batch, BatchSource, Executor, Series
from core.training.executors.planner import plan

SEED = 1
ROUNDS = 9
STEPS_COMPARED = 100
CPU = torch.device("cpu")
CYCLE = (
    ("sgd", {"lr": 0.05}),
    ("sgd", {"lr": 0.01, "momentum": 0.9}),
    ("rmsprop", {"lr": 0.001}),
    ("adam", {"lr": 0.002}),
    ("adamw", {"lr": 0.001}),
    ("adagrad", {"lr": 0.01}),
)
SLOWER = 0.9
"""Each further round through the cycle has learning rates smaller by this."""
RACES = {"toy_16": ("toy", 16, 100), "toy_32": ("toy", 32, 60), "mlp_16": ("mlp", 16, 12), "cnn_4": ("cnn", 4, 2)}
"""By key: the workload, the lanes, and the steps of one window."""


def experiment_named(name: str, n_lanes: int) -> Experiment:
    """A race of `n_lanes` on one of the three workloads."""
    lanes = []
    for index in range(n_lanes):
        turn, place = divmod(index, len(CYCLE))
        kind, values = CYCLE[place]
        lanes.append(Lane(optimizer=choice_class(AnyOptimizer, kind)(**values | {"lr": values["lr"] * SLOWER**turn})))
    hidden = (Linear(out_features=4), Tanh(), Linear(out_features=2), Tanh())
    toy = ModelSpec(layers=(*hidden, Linear(out_features=2)))
    data, model, batch = {
        "toy": (Spiral(n_points=2000), toy, 10),
        "mlp": (RenderedDigits(n_examples=20_000), preset("mlp-128-128").model(10), 128),
        "cnn": (RenderedDigits(n_examples=20_000), preset("cnn-32-64").model(10), 128),
    }[name]
    return Experiment(data=data, model=model, lanes=tuple(lanes), batch_size=batch, seed=SEED, device="cpu")


class Precise:
    """Batches in float64."""

    def __init__(self, source: RunBatches) -> None:
        self._source = source

    def batch(self, repeat: int, number: int) -> Batch:
        """As in BatchSource."""
        x, y = self._source.batch(repeat, number)
        return x.double(), y


def first_model(experiment: Experiment, dtype: torch.dtype) -> torch.nn.Module:
    """The network with its initial weights."""
    return build(experiment.model, experiment.data.profile().input_shape, experiment.seed).to(dtype)


def run_of(experiment: Experiment) -> tuple[RunBatches, list[Batch]]:
    """The batches of a run, and the first of them made ready."""
    splits = experiment.data.splits(experiment.seed)
    source = RunBatches(experiment, splits, ResidentData(splits, splits.train, CPU))
    return source, [source.batch(0, number) for number in range(1, STEPS_COMPARED + 1)]


def difference(one: "Ours | OneByOne", other: "OneByOne") -> float:
    """Of any loss of the first steps."""
    return float(np.abs(one.steps(STEPS_COMPARED) - other.steps(STEPS_COMPARED)).max())


def precise_error(experiment: Experiment) -> float:
    """`curve_error` in float64, in batches that are small enough to be done in time."""
    experiment = experiment.but(batch_size=32)
    source, _ = run_of(experiment)
    precise = Precise(source)
    batches = [precise.batch(0, number) for number in range(1, STEPS_COMPARED + 1)]
    return difference(Ours(experiment, precise, torch.float64), OneByOne(experiment, batches, torch.float64))


def float_errors(experiment: Experiment) -> dict[str, float]:
    """How far we, and torch in another memory layout, are from torch in float32."""
    source, batches = run_of(experiment)
    ours, theirs = Ours(experiment, source), OneByOne(experiment, batches)
    layout = OneByOne(experiment, batches, memory_format=torch.channels_last)
    return {
        "curve_error_float32": difference(ours, theirs),
        "torch_error_float32": difference(layout, OneByOne(experiment, batches)),
    }


class Ours:
    """The lanes as the page trains them."""

    def __init__(self, experiment: Experiment, source: BatchSource, dtype: torch.dtype = torch.float32) -> None:
        start = first_model(experiment, dtype)
        clock = Clock(STEPS_COMPARED, None)
        series = [Series(i, i, 0, lane, copy.deepcopy(start), clock) for i, lane in enumerate(experiment.lanes)]
        made = plan(experiment, series, CPU, Settings(lane_processes=1))
        self.executors: Sequence[Executor] = made.executors
        self.reason = made.reason
        self._source = source
        self._step = 0

    def steps(self, n: int) -> np.ndarray:
        """Losses (n, lanes) of the next steps."""
        table = np.zeros((n, sum(len(executor.series) for executor in self.executors)))
        for executor in self.executors:
            columns = [one.index for one in executor.series]
            table[:, columns] = executor.steps(self._source, self._step + 1, n)
        self._step += n
        return table


class OneByOne:
    """The same lanes as plain loops, one after the other."""

    def __init__(
        self,
        experiment: Experiment,
        batches: Sequence[Batch],
        dtype: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        start = first_model(experiment, dtype).to(memory_format=memory_format)
        self._models = [copy.deepcopy(start) for _ in experiment.lanes]
        self._optimizers = [
            getattr(torch.optim, lane.optimizer.torch_class.partition(":")[2])(model.parameters(), **lane.optimizer.arguments())
            for lane, model in zip(experiment.lanes, self._models, strict=True)
        ]
        self._batches = [(x.to(memory_format=memory_format), y) for x, y in batches]
        self._step = 0

    def steps(self, n: int) -> np.ndarray:
        """Losses (n, lanes) of the next steps."""
        loss_of = torch.nn.CrossEntropyLoss()
        table = np.zeros((n, len(self._models)))
        for lane, (model, optimizer) in enumerate(zip(self._models, self._optimizers, strict=True)):
            for index in range(n):
                x, y = self._batches[(self._step + index) % len(self._batches)]
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(model(x), y)
                loss.backward()
                optimizer.step()
                table[index, lane] = loss.item()
        self._step += n
        return table


def race(name: str, n_lanes: int, window: int, rounds: int) -> dict[str, object]:
    """Times faster, and the largest difference of any loss in the first steps."""
    experiment = experiment_named(name, n_lanes)
    source, batches = run_of(experiment)
    ours, theirs = Ours(experiment, source), OneByOne(experiment, batches)
    for side in (ours, theirs) if name == "cnn" else ():
        side.steps(window)
    error = precise_error(experiment) if name == "cnn" else difference(ours, theirs)
    ratios, milliseconds = [], []
    for turn in range(rounds):
        pair = (ours, theirs) if turn % 2 else (theirs, ours)
        seconds = {}
        for side in pair:
            began = time.process_time()
            side.steps(window)
            seconds[side] = (time.process_time() - began) / window
        ratios.append(seconds[theirs] / seconds[ours])
        milliseconds.append(seconds[ours] * 1e3)
    low, high = np.percentile(ratios, [25, 75])
    print(
        f"{name} x {n_lanes}: {statistics.median(ratios):.2f} (quartiles {low:.2f} to {high:.2f}), error {error:.1e}",
        flush=True,
    )
    return {
        "times_faster": round(statistics.median(ratios), 3),
        "quartiles": [round(float(low), 3), round(float(high), 3)],
        "ms_per_step": round(statistics.median(milliseconds), 3),
        "curve_error": error,
        "executors": [executor.name for executor in ours.executors],
        "plan": ours.reason,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--floats", action="store_true", help="errors of the CNN in float32 too")
    parser.add_argument("--only", choices=RACES, action="append")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    chosen = arguments.only or list(RACES)
    details = {key: race(*RACES[key], arguments.rounds) for key in chosen}
    if arguments.floats:
        details["cnn_4"] = details.get("cnn_4", {}) | float_errors(experiment_named("cnn", 4))
    figures = {key: found["times_faster"] for key, found in details.items() if key in chosen}
    figures["curve_error"] = max(details[key]["curve_error"] for key in chosen)
    print(json.dumps(figures | {"details": details}))


if __name__ == "__main__":
    main()
