"""What a job is: a Choice whose `stream` does the work in a worker, and the desk at which it works."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from core import VERSION
from core.errors import SpecError
from core.events import Artifact, Command, Event, Stop
from core.experiment.experiment import Experiment
from core.experiment.need import Need
from core.settings import Settings
from core.spec import Choice, Spec

Stream = Generator[Event | Artifact | None, Command | None, None]
"""What a job yields; commands come back by `send`. It ends with exactly one Finished or Failed. A training job answers
`Pause` (now) and `Step` (after its steps) with `Paused`, once it has told all; it is pulled again after `Resume`. None is
nothing to tell, but a moment for a command."""


class ArtifactRef(Spec):
    """An artifact of some run. The digest is part of the reference, so that a result's key names the weights themselves."""

    run: str
    name: str
    sha256: str


class Stopped(Exception):
    """Raised inside a job by `Desk.progress` when its run was asked to stop; only the driver of the stream catches it."""


class Desk(Protocol):
    """What a job may use besides itself. One implementation for workers, one for inline runs."""

    settings: Settings
    resume: bytes | None
    """The checkpoint to go on from, or None for a fresh start."""
    replay: tuple[tuple[int, Command], ...]
    """Changes by hand that were made after that checkpoint: (step after which it holds, change)."""

    def artifact(self, ref: ArtifactRef) -> bytes:
        """The bytes of an artifact, checked against the digest.

        Raises:
            StoreError: it is gone or damaged.
        """

    def progress(self, done: int, total: int) -> None:
        """Report work inside one call (throttled). Call it often.

        Raises:
            Stopped: the run was asked to stop.
        """


class Job(Choice):
    """Something a worker can do."""

    lane: ClassVar[Literal["training", "lens"]]
    """Training jobs each get a fresh process; lens jobs share a warm one that has the explanation libraries loaded."""
    has_lasting_answer: ClassVar[bool] = False
    """Whether an equal job is answered by the run that found the answer, as long as that is kept."""

    def check(self, settings: Settings) -> None:
        """Look whether the job can be done at all, before it is queued. Torch-free.

        Raises:
            SpecError: it cannot; the message says why.
        """

    def trained(self) -> Experiment | None:
        """The experiment whose weights a run of this job keeps as checkpoints; None for a job that only looks."""
        return None

    def need(self) -> Need | None:
        """What a run of this job takes, told before it is queued; None for a job that takes little."""
        return None

    def check_command(self, command: Command, made: Sequence[Event] = ()) -> None:
        """Look whether a command makes sense for this job, after the changes by hand that were `made` so far: Stop alone.

        Raises:
            SpecError: it does not; the message says why.
        """
        if not isinstance(command, Stop):
            raise SpecError("This work can only be stopped.", hint="Stop it, or wait for its end.")

    def stream(self, desk: Desk) -> Stream:
        """Do the work, event by event."""
        raise TypeError(f"{type(self).__name__} must do its work")

    def key(self) -> str:
        """SHA-256 of what is asked, and of which version: equal keys give equal results."""
        return hashlib.sha256(f"{VERSION}\n{self.model_dump_json()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Deleted:
    """Runs that were deleted, and those that stay: they have not ended, or an unfinished run needs their checkpoint."""

    runs: tuple[str, ...]
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """How busy the pool is. `is_warm` says that the next training job starts at once."""

    is_warm: bool
    is_lens_warm: bool
    running: int
    queued: int
