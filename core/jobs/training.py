"""The job that trains."""

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from core.errors import SpecError, StoreError
from core.events import Command, Event, SetSpeed
from core.experiment.apply import after_events, with_change
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.experiment.need import Need, need_of
from core.jobs.job import ArtifactRef, Desk, Job, Stream
from core.settings import Settings

SLOWEST = 0.05
"""Steps per second: a step every twenty seconds."""


class TrainJob(Job):
    """Train an experiment from its initial weights or those of its origin, or go on from the checkpoint on the desk."""

    kind: Literal["train"] = "train"
    label = "Training"
    lane: ClassVar[Literal["training", "lens"]] = "training"
    experiment: Experiment
    starts_paused: bool = False
    """Wait before the first step, at the initial weights."""

    def trained(self) -> Experiment:
        return self.experiment

    def need(self) -> Need:
        return need_of(self.experiment)

    def check(self, settings: Settings) -> None:
        """Refuses what `core.experiment.check` finds an error in."""
        checked(self.experiment, settings)

    def check_command(self, command: Command, made: Sequence[Event] = ()) -> None:
        """A change must name a lane that there is by now and a number of it, and stay within its bounds."""
        if isinstance(command, SetSpeed):
            speed = command.steps_per_s
            if not math.isfinite(speed) or (speed != 0 and speed < SLOWEST):
                raise SpecError(
                    f"The speed must be 0 (full) or at least {SLOWEST:g} steps per second.", hint="Change the speed."
                )
        with_change(after_events(self.experiment, made), command)

    def stream(self, desk: Desk) -> Stream:
        """As `core.training.loop.train`."""
        from core.training.loop import train

        yield from train(
            self.experiment,
            origin=origin_bytes(self.experiment, desk),
            resume=desk.resume,
            replay=desk.replay,
            starts_paused=self.starts_paused,
            settings=desk.settings,
        )


def origin_bytes(experiment: Experiment, desk: Desk) -> bytes | None:
    """The checkpoint that the experiment starts from; None for none, and where it is gone. A run that goes on from a checkpoint
    of its own can do without."""
    origin = experiment.origin
    if origin is None:
        return None
    try:
        return desk.artifact(ArtifactRef(run=origin.run, name=origin.name, sha256=origin.sha256))
    except StoreError:
        return None
