"""A job in this very process, for tests and the command line."""

from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import sha256

from core.errors import StoreError
from core.events import Artifact, ArtifactSaved, Command, Event, Stop
from core.jobs.job import ArtifactRef, Job
from core.jobs.work.desk import WorkDesk
from core.jobs.work.driver import Driver
from core.settings import Settings
from core.store.protocol import LoggedEvent


class MemoryShelf:
    """Artifacts in memory. Jobs that share a shelf can refer to each other's artifacts."""

    def __init__(self) -> None:
        self._artifacts: dict[tuple[str, str], tuple[Artifact, str]] = {}

    def put(self, run: str, artifact: Artifact) -> ArtifactSaved:
        """Keep an artifact."""
        digest = sha256(artifact.data).hexdigest()
        self._artifacts[run, artifact.name] = (artifact, digest)
        return ArtifactSaved(artifact.name, artifact.kind, artifact.step, len(artifact.data), digest)

    def read(self, run: str, name: str, sha256: str) -> bytes:
        """The bytes of an artifact.

        Raises:
            StoreError: there is none with this digest.
        """
        artifact, digest = self._artifacts.get((run, name), (None, ""))
        if artifact is None or digest != sha256:
            raise StoreError(
                f"There is no artifact {name!r} of run {run!r} with this digest.", hint="Run the job that makes it."
            )
        return artifact.data

    def references(self, run: str, kind: str = "checkpoint") -> tuple[ArtifactRef, ...]:
        """References to the artifacts of one kind, in order of their steps."""
        ours = [(one, digest) for (owner, _), (one, digest) in self._artifacts.items() if owner == run and one.kind == kind]
        return tuple(
            ArtifactRef(run=run, name=one.name, sha256=digest) for one, digest in sorted(ours, key=lambda pair: pair[0].step)
        )


class ListedInbox:
    """Commands known beforehand, each with the step after which it comes. A run that waits for more is stopped."""

    def __init__(self, commands: Iterable[tuple[int, Command]]) -> None:
        self._commands = deque(commands)
        self.has_stopped = False

    def take(self, step: int, *, wait: bool) -> Command | None:
        command: Command | None = Stop() if wait else None
        if self._commands and (wait or step >= self._commands[0][0]):
            command = self._commands.popleft()[1]
        self.has_stopped = self.has_stopped or isinstance(command, Stop)
        return command


def run_inline(
    job: Job,
    settings: Settings,
    *,
    commands: Iterable[tuple[int, Command]] = (),
    shelf: MemoryShelf | None = None,
    run: str = "inline",
    resume: tuple[ArtifactRef, tuple[tuple[int, Command], ...]] | None = None,
) -> Iterator[LoggedEvent | Artifact]:
    """What the job says, each artifact right before the event that it was saved.

    Args:
        commands: (step, command): the command comes once that step is done; when the run is paused, at once.
        shelf: where artifacts are kept and read; share one to let a job use those of another.
        resume: a checkpoint on the shelf to go on from, and the changes by hand that were made after it.
    """
    shelf = shelf or MemoryShelf()
    inbox = ListedInbox(commands)
    reported: deque[Event | Artifact] = deque()

    def keep(artifact: Artifact) -> ArtifactSaved:
        reported.append(artifact)
        return shelf.put(run, artifact)

    desk = WorkDesk(settings, shelf, reported.append, lambda: inbox.has_stopped)
    if resume is not None:
        desk.resume, desk.replay = desk.artifact(resume[0]), resume[1]
    seq = 0
    for event in Driver(job.stream(desk), inbox, keep).events():
        for item in [*reported, event]:
            if isinstance(item, Artifact):
                yield item
                continue
            seq += 1
            yield LoggedEvent(seq, item)
        reported.clear()
