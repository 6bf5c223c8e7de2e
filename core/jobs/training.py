"""The job that trains."""

from typing import ClassVar, Literal

from core.events import Command, SetHyper
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.jobs.job import Desk, Job, Stream
from core.settings import Settings


class TrainJob(Job):
    """Train an experiment from its initial weights, or go on from the checkpoint on the desk."""

    kind: Literal["train"] = "train"
    label = "Training"
    lane: ClassVar[Literal["training", "lens"]] = "training"
    experiment: Experiment

    def check(self, settings: Settings) -> None:
        """Refuses what `core.experiment.check` finds an error in."""
        checked(self.experiment, settings)

    def check_command(self, command: Command) -> None:
        """A change must name a lane and a number of its optimizer, and stay within its bounds."""
        if isinstance(command, SetHyper):
            self.experiment.with_hyper(command.lane, command.name, command.value)

    def stream(self, desk: Desk) -> Stream:
        """As `core.training.loop.train`."""
        from core.training.loop import train

        yield from train(self.experiment, resume=desk.resume, replay=desk.replay, settings=desk.settings)
