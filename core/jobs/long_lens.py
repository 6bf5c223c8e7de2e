"""Looks that take minutes and are kept: they wait and work beside training runs, and stand in the table of runs."""

from dataclasses import replace
from typing import ClassVar, Literal

from core.experiment.need import Need, need_of
from core.jobs.lenses import WeightsJob


class LongLensJob(WeightsJob):
    """A lens with a process of its own, whose run is kept like a training run."""

    lane: ClassVar[Literal["training", "lens"]] = "training"

    def need(self) -> Need:
        """As one training run of the experiment, of which nothing is kept."""
        return replace(need_of(self.experiment), checkpoint_bytes=0, n_steps=None, seconds=self.expected_s())

    def expected_s(self) -> float | None:
        """How long it takes, where that can be known."""
        return None
