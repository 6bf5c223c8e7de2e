"""The job that trains."""

from typing import ClassVar, Literal

from core.experiment.experiment import Experiment
from core.jobs.job import Desk, Job, Stream


class TrainJob(Job):
    """Train an experiment from its initial weights, or go on from the checkpoint on the desk."""

    kind: Literal["train"] = "train"
    label = "Training"
    lane: ClassVar[Literal["training", "lens"]] = "training"
    experiment: Experiment

    def stream(self, desk: Desk) -> Stream:
        """As `core.training.loop.train`."""
        from core.training.loop import train

        yield from train(self.experiment, resume=desk.resume, replay=desk.replay, settings=desk.settings)
