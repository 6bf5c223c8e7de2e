"""Our steps by the product's own path: `LiveRun.advance`, with the executor that the planner gives, set up as in a worker."""

import numpy as np
import torch
from peers_clock import WARM_STEPS, Clock, arguments

from core.data.dataset import Split, Splits
from core.data.rendered import RenderedDigits
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.presets import preset
from core.optim.optimizers import Adam
from core.training.live_run import LiveRun


def splits_of(path: str, data: RenderedDigits) -> Splits:
    """The examples that the peers have, and one to validate on."""
    with np.load(path) as kept:
        x, y = kept["x"], kept["y"]
    train, one, none = Split(x, y), Split(x[:1], y[:1]), Split(x[:0], y[:0])
    return Splits(data.profile(), train, one, none, np.float32(0), np.float32(1) / np.float32(255))


def main() -> None:
    told = arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    data = RenderedDigits(n_examples=60_000)
    experiment = Experiment(
        data=data,
        model=preset({"mlp": "mlp-128-128", "cnn": "cnn-32-64"}[told.model]).model(10),
        lanes=(Lane(optimizer=Adam()),),
        batch_size=128,
        budget=Budget(epochs=None, steps=told.steps + WARM_STEPS),
        device="cpu",
        precision="bfloat16" if told.bfloat16 else "float32",
    )
    run = LiveRun(experiment, splits_of(told.data, data), None)
    clock = Clock(told.steps, torch=torch.__version__, executor=run.team.executors[0].name, plan=run.team.reason)
    while True:
        clock.tick(run.advance()[0][0])


if __name__ == "__main__":
    main()
