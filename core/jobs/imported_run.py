"""The job that gives a run back from a bundle: its events and artifacts come up as if it ran again."""

from typing import ClassVar, Literal

from core.jobs.job import Job


class ImportedRunJob(Job):
    """A run of another machine, from its bundle, bit for bit."""

    kind: Literal["imported"] = "imported"
    label = "Imported run"
    lane: ClassVar[Literal["training", "lens"]] = "training"
