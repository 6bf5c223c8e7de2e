"""Looks that take minutes and are kept: they wait and work beside training runs, and stand in the table of runs."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from core.errors import SpecError
from core.events import Command, Event, Stop
from core.jobs.lenses import WeightsJob


class LongLensJob(WeightsJob):
    """A lens with a process of its own, whose run is kept like a training run. It can be stopped, and nothing else."""

    lane: ClassVar[Literal["training", "lens"]] = "training"

    def check_command(self, command: Command, made: Sequence[Event] = ()) -> None:
        """Refuses all but Stop."""
        if not isinstance(command, Stop):
            raise SpecError("This work can only be stopped.", hint="Stop it, or wait for its end.")
