"""A pool with the real Menu of jobs, and what its runs should have said: the same experiment trained in this process."""

import os
import signal
import time
from collections.abc import Callable, Iterable

from core.data.rendered import Digits
from core.events import Artifact, Event, HyperChanged, SetHyper, Started
from core.experiment.experiment import Budget, Experiment, Lane
from core.history import History
from core.jobs.pool.recovery import newest_whole
from core.models.model import ModelSpec
from core.optim.optimizers import Adam, AnyOptimizer
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord
from core.training.loop import train
from tests.core.jobs.conftest import DemoPool
from tests.core.samples import linear, spiral, stack

CHECKPOINT_S = 0.3
ADAM = Adam(lr=0.003)
CONV = ("Conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 1})
CNN = stack(CONV, "ReLU", ("MaxPool2d", {"kernel_size": 2}), "Flatten", linear(10))
RANDOM_MLP = stack("Flatten", linear(64), "BatchNorm1d", "ReLU", ("Dropout", {"p": 0.3}), linear(10))

Curves = tuple[list[list[float]], list[tuple[object, ...]]]


class RealPool(DemoPool):
    """Its first worker has to import torch, so it waits longer."""

    def wait(self, is_so: Callable[[], object], timeout_s: float = 60.0) -> None:
        super().wait(is_so, timeout_s)

    def events(self, run: str) -> list[Event]:
        return [logged.event for logged in self.store.events(run, limit=1_000_000)]

    def checkpoints(self, run: str) -> tuple[ArtifactRecord, ...]:
        return self.store.artifacts(run, "checkpoint")

    def started_at(self, run: str) -> list[int]:
        """The steps at which attempts began whose beginning is still in the log."""
        return [event.step for event in self.events(run) if isinstance(event, Started)]

    def replayed(self, run: str) -> list[tuple[int, SetHyper]]:
        """The changes by hand, as `train` takes them."""
        changes = [event for event in self.events(run) if isinstance(event, HyperChanged)]
        return [(one.step, SetHyper(one.lane, one.name, one.new)) for one in changes]

    def curves(self, run: str) -> Curves:
        """Losses by step and figures by epoch, as the store has them; each step is there once."""
        assert self.curve(run)
        return folded(self.events(run))

    def wait_for_checkpoint(self, run: str, after: int = 0) -> int:
        """The step at which a new attempt would begin, once it is later than `after`.

        The newest checkpoint may be a best epoch that was put away late: no attempt begins there.
        """
        self.wait(lambda: self.next_start(run) > after)
        return self.next_start(run)

    def next_start(self, run: str) -> int:
        """The step of the checkpoint from which a new attempt would go on; 0 where there is none."""
        checkpoint = newest_whole(self.store, ArtifactFiles(self.home), run)
        return checkpoint.step if checkpoint else 0

    def kill(self, run: str) -> None:
        """SIGKILL for the worker in mid-run, and wait until the supervisor has seen it."""
        assert self.state(run) == "running"
        lost = self.names(run).count("WorkerLost")
        os.kill(self.pid(run), signal.SIGKILL)
        self.wait(lambda: self.names(run).count("WorkerLost") > lost)

    def change_without_checkpoint(self, run: str, rates: Iterable[float]) -> int:
        """Change the learning rate and freeze the worker before its next checkpoint; the step of the change.

        A checkpoint can always come in between: then the worker goes on, and the next of `rates` is tried.
        """
        for rate in rates:
            newest = self.wait_for_checkpoint(run, self.next_start(run))
            self.client.command(run, SetHyper(0, "lr", rate))
            self.wait(lambda rate=rate: rate in self.changes(run).values())
            os.kill(self.pid(run), signal.SIGSTOP)
            time.sleep(0.3)  # what it has said is in the store by then
            if self.next_start(run) == newest:
                return max(self.changes(run))
            os.kill(self.pid(run), signal.SIGCONT)
        raise AssertionError("a checkpoint followed every change")


def folded(items: Iterable[Event | Artifact]) -> Curves:
    """What can be compared float for float: all but times."""
    history = History()
    for item in items:
        if not isinstance(item, Artifact):
            history.append(item)
    epochs = [
        (one.epoch, one.step, one.train_loss, one.train_accuracy, one.validation_loss, one.validation_accuracy)
        for one in history.epochs
    ]
    return [list(losses) for losses in history.losses], epochs


def uninterrupted(experiment: Experiment, replay: Iterable[tuple[int, SetHyper]] = ()) -> Curves:
    """The curves of the experiment, trained here and now."""
    return folded(train(experiment, replay=replay))


def digits(model: ModelSpec, steps: int, optimizer: AnyOptimizer = ADAM) -> Experiment:
    """Handwritten digits, in batches of 32."""
    return Experiment(
        data=Digits(),
        model=model,
        lanes=(Lane(optimizer=optimizer),),
        batch_size=32,
        budget=Budget(epochs=None, steps=steps),
        device="cpu",
    )


def wild_net() -> Experiment:
    """A ReLU net at a learning rate that it cannot bear."""
    model = stack(linear(64), "ReLU", linear(64), "ReLU", linear(2))
    return spiral("sgd", lr=10.0, steps=5000, model=model)
