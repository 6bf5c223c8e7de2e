"""Looks that take minutes and are kept: they wait and work beside training runs, and stand in the table of runs."""

from typing import ClassVar, Literal

from core.jobs.lenses import WeightsJob


class LongLensJob(WeightsJob):
    """A lens with a process of its own, whose run is kept like a training run."""

    lane: ClassVar[Literal["training", "lens"]] = "training"
