"""What the supervisor asks of whatever runs its workers: processes of this machine, or of a cluster."""

from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Literal, Protocol

from core.jobs.messages import Message

Lane = Literal["training", "lens"]


class WorkerHandle(Protocol):
    """One worker, seen from the supervisor."""

    lane: Lane
    pid: int
    is_ready: bool
    """It has said that it is warm and waits."""

    def send(self, message: Message) -> None:
        """Send down its pipe. A dead worker takes it in silence: its death is seen elsewhere."""

    def hurry(self, *, is_on: bool) -> bool:
        """Let it have the processor like the page while somebody waits for it, or give way again; whether that is settled, or
        must be asked for again."""

    def waited_s(self) -> Mapping[int, float]:
        """For each of its processes the seconds for which it stood ready and got no processor, since it began."""

    def receive(self) -> list[bytes]:
        """All that has arrived."""

    def is_alive(self) -> bool: ...

    def kill(self) -> None: ...

    def end(self) -> str:
        """How it ended, for a person."""

    def waitables(self) -> tuple[Connection | int, ...]:
        """What to wait on for news of it."""


class Engine(Protocol):
    """Keeps workers warm and hands them out."""

    def take(self, lane: Lane) -> WorkerHandle | None:
        """A worker to assign a job to, or None while there is none; another one is then being started."""

    def give_back(self, worker: WorkerHandle) -> None:
        """The job of this worker is over: a lens worker is used again, a training worker ends by itself."""

    def tend(self) -> None:
        """Replace what died, hear what waiting workers say. Call it on every turn."""

    def is_warm(self, lane: Lane) -> bool:
        """Whether the next job of this lane starts at once."""

    def parked(self) -> tuple[tuple[int, Lane], ...]:
        """Process and lane of each worker that waits for a job."""

    def waitables(self) -> tuple[Connection | int, ...]:
        """What to wait on for news of workers without a job."""

    def close(self) -> None: ...
