"""Our training loop with all its telemetry against the same loop written by hand in bare torch.

Both have the data in memory, the same model, the same fused optimizer and one thread, and are judged by process CPU time,
which other processes disturb least; rounds alternate, and the figure is the median of their paired ratios. What is timed
is `train()` with all that it measures and tells; the worker's pipe is not in it (benchmarks.first_point has the whole way).

Last line: {"toy": ..., "mlp": ..., "cnn": ...}, ours / bare in steps per second.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from core.data.dataset import Split, Splits
from core.data.rendered import RenderedDigits
from core.data.toy import Spiral
from core.events import StepsDone
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.model import build
from core.models.presets import preset
from core.optim.optimizers import Adam
from core.training.loop import train

ROUNDS = 9


def experiment_named(name: str, steps: int) -> Experiment:
    """The workload: a 2-8-8-2 net with batches of 10, the seed MLP and the seed CNN with batches of 128.

    MLP and CNN end within their first epoch, so that no evaluation is in the times; the toy's epochs are 250 steps.
    """
    data, model, batch = {
        "toy": (Spiral(n_points=5000), preset("mlp-2d").model(2), 10),
        "mlp": (RenderedDigits(n_examples=60_000), preset("mlp-128-128").model(10), 128),
        "cnn": (RenderedDigits(n_examples=60_000), preset("cnn-32-64").model(10), 128),
    }[name]
    budget = Budget(epochs=None, steps=steps)
    return Experiment(data=data, model=model, lanes=(Lane(optimizer=Adam()),), batch_size=batch, budget=budget, device="cpu")


def without_evaluation(splits: Splits) -> Splits:
    """The same training split, with a validation split of one example: both loops are timed on their steps."""
    one = Split(splits.validation.x[:1], splits.validation.y[:1])
    return Splits(splits.profile, splits.train, one, Split(one.x[:0], one.y[:0]), splits.shift, splits.scale)


def our_seconds(experiment: Experiment, splits: Splits) -> float:
    """Seconds from the first to the last report of the steps, everything that is told in between included."""
    began, told = 0.0, 0
    for item in train(experiment, splits=splits):
        if isinstance(item, StepsDone):
            now = time.process_time()
            began = began or now
            told += len(item.losses[0]) if began != now else 0
            ended = now
    return (ended - began) / told


def bare_seconds(experiment: Experiment, splits: Splits) -> float:
    """Seconds per step of the loop that one would write by hand, with the loss read in each step."""
    x = torch.from_numpy(splits.model_input(splits.train.x))
    y = torch.from_numpy(splits.train.y)
    model = build(experiment.model, splits.profile.input_shape, experiment.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    n, batch, losses = len(y), experiment.batch(len(y)), []
    began = time.process_time()
    while len(losses) < experiment.budget.steps:
        order = torch.randperm(n)
        for start in range(0, n, batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x[chosen]), y[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == experiment.budget.steps:
                break
    return (time.process_time() - began) / len(losses)


def ratio(name: str, steps: int, rounds: int) -> float:
    """Median over the rounds of bare / ours in seconds per step."""
    experiment = experiment_named(name, steps)
    splits = without_evaluation(experiment.data.splits(0))
    for loop in (our_seconds, bare_seconds):
        loop(experiment, splits)
    ratios = []
    for turn in range(rounds):
        first, second = (our_seconds, bare_seconds) if turn % 2 else (bare_seconds, our_seconds)
        times = {loop: loop(experiment, splits) for loop in (first, second)}
        ratios.append(times[bare_seconds] / times[our_seconds])
    low, high = np.percentile(ratios, [25, 75])
    print(f"{name}: {statistics.median(ratios):.3f} (quartiles {low:.3f} to {high:.3f})", flush=True)
    return statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    steps = {"toy": 2000, "mlp": 320, "cnn": 30}
    print(json.dumps({name: round(ratio(name, n, rounds), 3) for name, n in steps.items()}))


if __name__ == "__main__":
    main()
