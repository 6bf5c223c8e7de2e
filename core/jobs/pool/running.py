"""The runs that have a worker: what their workers say goes into the store, and they are watched."""

import logging
import time
from dataclasses import dataclass, field

from core.events import (
    ArtifactSaved,
    Command,
    Event,
    Failed,
    Finished,
    HyperChanged,
    Paused,
    Resumed,
    Started,
    Stop,
    WorkerLost,
)
from core.jobs.messages import (
    Assignment,
    Batch,
    Carry,
    Stopping,
    carry_text,
    decode,
    logged_events,
    ordered,
    step_after,
)
from core.jobs.pool.engine import WorkerHandle
from core.jobs.pool.recovery import carry_after, rewind_to_checkpoint
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord, RunWriter
from core.types import RunState

LOG = logging.getLogger(__name__)

STOP_S = 2.0
"""A job that was told to stop and did not hear it by then is killed."""
GOODBYE_S = 10.0
"""A job that heard it has this long for its last checkpoint and test."""


@dataclass(slots=True)
class LiveRun:
    """A run and its worker."""

    record: RunRecord
    worker: WorkerHandle
    carry: Carry
    seq: int
    step: int
    state: RunState = "starting"
    begun: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    stop_deadline: float | None = None
    is_hung: bool = False
    is_over: bool = False
    has_new_checkpoint: bool = False

    @classmethod
    def begin(cls, record: RunRecord, worker: WorkerHandle, told: Assignment) -> "LiveRun":
        """A run whose worker is told to do it now."""
        worker.send(told)
        return cls(record, worker, told.carry, told.seq, told.checkpoint.step if told.checkpoint else 0)

    @property
    def id(self) -> str:
        return self.record.id

    def order(self, command: Command) -> None:
        """Pass a command on."""
        if isinstance(command, Stop) and self.stop_deadline is None:
            self.stop_deadline = time.monotonic() + STOP_S
            self.state = "stopping"
        self.worker.send(ordered(self.id, command))


class RunBook:
    """Writes what happens to live runs. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, files: ArtifactFiles, settings: Settings) -> None:
        self._store = store
        self._files = files
        self._settings = settings

    def absorb(self, run: LiveRun) -> None:
        """Take in all that the worker said; see whether it is gone, or silent for too long.

        Raises:
            ValueError, KeyError: it said what cannot be; nothing of that message was written.
        """
        was_alive = run.worker.is_alive()  # before the pipe is emptied, or a last word could be lost
        for data in run.worker.receive():
            run.heard = time.monotonic()
            message = decode(data)
            if isinstance(message, Stopping):
                run.stop_deadline = time.monotonic() + GOODBYE_S
            elif isinstance(message, Batch) and message.run == run.id:
                self._take(run, logged_events(message))
        if not run.is_over:
            self._watch(run, was_alive)

    def fail(self, run: LiveRun, code: str, message: str, hint: str) -> None:
        """End the run in words."""
        self._say(run, Failed(code, message, hint, run.step))

    def _watch(self, run: LiveRun, is_alive: bool) -> None:
        now = time.monotonic()
        if not is_alive:
            self._lost(run)
        elif run.stop_deadline is not None and now > run.stop_deadline:
            run.worker.kill()
        elif run.state != "paused" and now - run.heard > self._settings.hang_s:
            run.is_hung = True
            run.worker.kill()

    def _take(self, run: LiveRun, events: tuple[LoggedEvent, ...]) -> None:
        if [logged.seq for logged in events] != list(range(run.seq + 1, run.seq + 1 + len(events))):
            raise ValueError(f"events out of order after {run.seq}")
        if events and not run.is_over:
            self._store.append(run.id, events)
            for logged in events:
                self._note(run, logged)
            self._save(run)

    def _say(self, run: LiveRun, *events: Event) -> None:
        """Append events of the supervisor's own."""
        self._take(run, tuple(LoggedEvent(run.seq + n, event) for n, event in enumerate(events, start=1)))

    def _note(self, run: LiveRun, logged: LoggedEvent) -> None:
        event, run.seq = logged.event, logged.seq
        run.step = step_after(event, run.step)
        if isinstance(event, ArtifactSaved):
            self._store.add_artifact(
                ArtifactRecord(run.id, event.name, event.kind, event.step, logged.seq, event.n_bytes, event.sha256)
            )
            run.has_new_checkpoint = run.has_new_checkpoint or event.kind == "checkpoint"
        elif isinstance(event, (HyperChanged, Paused, Resumed)):
            self._update_carry(run, event)
        elif isinstance(event, (Finished, Failed)):
            self._end(run, event)
        run.state = _state_after(run, event)

    def _update_carry(self, run: LiveRun, event: Event) -> None:
        carry = carry_after(run.carry, event)
        if carry != run.carry:
            run.carry = carry
            self._store.update(run.id, carry=carry_text(carry))

    def _end(self, run: LiveRun, event: Finished | Failed) -> None:
        run.is_over = True
        reason = event.reason if isinstance(event, Finished) else event.message
        self._store.update(run.id, reason=reason, finished=time.time())

    def _save(self, run: LiveRun) -> None:
        self._store.update(run.id, last_seq=run.seq, last_step=run.step, state=run.state)

    def _lost(self, run: LiveRun) -> None:
        """The worker is gone and its run had not ended."""
        reason = run.worker.end()
        if run.stop_deadline is not None:
            self._say(run, Finished("stopped", run.step, time.monotonic() - run.begun))
        elif run.is_hung:
            limit = f"{self._settings.hang_s:g} s"
            self.fail(run, "hung", f"The worker said nothing for {limit} and was stopped.", "Choose a smaller model or batch.")
        elif run.record.attempt < self._settings.max_attempts:
            LOG.warning("run %s lost its worker (attempt %d): %s", run.id, run.record.attempt, reason)
            requeue(self._store, self._files, run.record, WorkerLost(reason, True), run.state)
            run.is_over = True
        else:
            self._say(run, WorkerLost(reason, False))
            message = f"The worker was lost {run.record.attempt} times: {reason}."
            self.fail(run, "worker-lost", message, "Choose a smaller model or batch, and look into the log of the workers.")
            self._store.update(run.id, state="interrupted")


def requeue(store: RunWriter, files: ArtifactFiles, record: RunRecord, lost: WorkerLost, state: RunState) -> None:
    """Let a run wait for another attempt. `state` is the one in which it was lost."""
    rewind_to_checkpoint(store, files, record, lost, was_paused=state == "paused")
    store.update(record.id, state="queued", pid=None)


def _state_after(run: LiveRun, event: Event) -> RunState:
    match event:
        case Finished():
            return "stopped" if event.reason == "stopped" else "finished"
        case Failed():
            return "failed"
        case Paused() if run.state != "stopping":
            return "paused"
        case Started() | Resumed() if run.state != "stopping":
            return "running"
    return "running" if run.state == "starting" else run.state
