"""Many lanes trained together against the same lanes one after the other with torch.optim. One thread.

The lanes cycle through SGD, momentum, RMSprop, Adam, AdamW and Adagrad, each round with another learning rate; all start from
the same weights and see the same batches. Ours is what the page runs: the planner's executors, asked for some steps at a time.
The other side is the loop that one would write by hand, its batches made before, with torch.optim as it comes.

Both are judged by process CPU time in one process; rounds alternate, and the figure is the median of their paired ratios.
`toy` is a 2-4-2-2 tanh net (TensorFlow Playground's 2-4-2-1 with a logit for each class) on the spiral in batches of 10, `mlp`
the preset 784-128-128-10 and `cnn` the preset 32-64-FC64, both on digits in batches of 128.

`curve_error` is the largest difference of any of our batch losses to those of the curve of the same lane alone, over 100 steps.

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
from core.training.executors.executor import Batch, Executor, Series
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


class Ours:
    """The lanes as the page trains them."""

    def __init__(self, experiment: Experiment, source: RunBatches) -> None:
        shape = experiment.data.profile().input_shape
        start = build(experiment.model, shape, experiment.seed)
        clock = Clock(source.steps_per_epoch, None)
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

    def __init__(self, experiment: Experiment, batches: Sequence[Batch]) -> None:
        shape = experiment.data.profile().input_shape
        start = build(experiment.model, shape, experiment.seed)
        self._models = [copy.deepcopy(start) for _ in experiment.lanes]
        self._optimizers = [
            getattr(torch.optim, lane.optimizer.torch_class.partition(":")[2])(model.parameters(), **lane.optimizer.arguments())
            for lane, model in zip(experiment.lanes, self._models, strict=True)
        ]
        self._batches = batches
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
    splits = experiment.data.splits(experiment.seed)
    source = RunBatches(experiment, splits, ResidentData(splits, splits.train, CPU))
    batches = [source.batch(0, number) for number in range(1, STEPS_COMPARED + 1)]
    ours, theirs = Ours(experiment, source), OneByOne(experiment, batches)
    error = float(np.abs(ours.steps(STEPS_COMPARED) - theirs.steps(STEPS_COMPARED)).max())
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
    parser.add_argument("--only", choices=RACES, action="append")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    chosen = arguments.only or list(RACES)
    details = {key: race(*RACES[key], arguments.rounds) for key in chosen}
    figures = {key: found["times_faster"] for key, found in details.items()}
    figures["curve_error"] = max(found["curve_error"] for found in details.values())
    print(json.dumps(figures | {"details": details}))


if __name__ == "__main__":
    main()
