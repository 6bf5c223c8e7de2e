"""The runs that have a worker: what their workers say goes into the store, and they are watched."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.events import (
    ArtifactSaved,
    Command,
    Event,
    Failed,
    Finished,
    Noticed,
    Paused,
    Resume,
    Resumed,
    Started,
    Step,
    StepsDone,
    Stop,
    WorkerLost,
)
from core.jobs.messages import Assignment, Batch, Carry, Stopping, carry_text, decode, logged_events, ordered, step_after
from core.jobs.pool.engine import WorkerHandle
from core.jobs.pool.recovery import carry_after, rewind_to_checkpoint, stopped_without_worker
from core.jobs.pool.summaries import Line, Summaries
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord, RunWriter
from core.types import RunState

LOG = logging.getLogger(__name__)

STOP_S = 2.0
"""A job that was told to stop and did not hear it by then is killed,"""
STOP_GAPS = 3.0
"""unless it is known to be silent for long, as within a long step: then it has so many times its longest silence,"""
MAX_STOP_S = 30.0
"""and this at most."""
HURRY_S = 0.7
"""How long a worker goes before others after an order: thirty at the lowest priority would take theirs one after another."""
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
    touched: float = field(default_factory=time.monotonic)
    longest_gap_s: float = 0.0
    is_let_go: bool = False
    """It is paused, and was told to go on or to make steps by hand: it works until it rests again."""
    stop_deadline: float | None = None
    hurried_until: float | None = None
    """Its worker need not give way until then: it was ordered something, and somebody waits for what comes of it."""
    waited_s: Mapping[int, float] | None = None
    """How long the processes of its worker had waited for a processor when it was first found to be silent."""
    is_hung: bool = False
    is_over: bool = False
    has_new_checkpoint: bool = False
    notice: Noticed | None = None
    """Why the supervisor stops it: said in the log before its end."""
    line: Line | None = None
    """Its line in the table of runs; None for lens jobs, which have none."""

    @classmethod
    def begin(cls, record: RunRecord, worker: WorkerHandle, told: Assignment) -> "LiveRun":
        """A run whose worker is told to do it now."""
        worker.send(told)
        return cls(record, worker, told.carry, told.seq, told.checkpoint.step if told.checkpoint else 0)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def is_working(self) -> bool:
        """Whether it takes processor time."""
        return not self.is_over and not self.is_resting

    @property
    def is_resting(self) -> bool:
        """Whether it is paused, and makes no step by hand."""
        return self.state == "paused" and not self.is_let_go

    def order(self, command: Command) -> None:
        """Pass a command on."""
        self.touched = time.monotonic()
        if isinstance(command, Stop) and self.stop_deadline is None:
            self.stop_deadline = self.touched + self._stop_s()
            self.state = "stopping"
        if isinstance(command, (Resume, Step)) and self.state == "paused":
            self.is_let_go, self.heard, self.waited_s = True, self.touched, None
        self.worker.hurry(is_on=True)
        self.hurried_until = self.touched + HURRY_S
        self.worker.send(ordered(self.id, command))

    def hear(self) -> None:
        """Note that its worker has just said something."""
        now = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, self._silence_s(now))
        self.heard = self.touched = now
        self.waited_s = None

    @property
    def silent_s(self) -> float:
        """Seconds since its worker last said something."""
        return time.monotonic() - self.heard

    def is_silent_for(self, limit_s: float) -> bool:
        """Whether its job has said nothing for so long. Time in which it was ready to work and got no processor is not counted:
        on a machine that is busy with other things the workers, which give way, may get none for minutes.
        """
        if self.silent_s <= limit_s / 2:
            return False
        waited_s = self.worker.waited_s()
        if self.waited_s is None:
            self.waited_s = waited_s
        before = self.waited_s
        return self.silent_s - max((waited_s[pid] - before.get(pid, waited_s[pid]) for pid in waited_s), default=0.0) > limit_s

    def _silence_s(self, now: float) -> float:
        """How long its job has been silent. Not counted where it has not begun, or waits."""
        return 0.0 if self.state == "starting" or self.is_resting else now - self.heard

    def _stop_s(self) -> float:
        if self.worker.lane == "lens":
            return STOP_S  # there is nothing to save
        gap_s = max(self.longest_gap_s, self._silence_s(self.touched))
        return min(MAX_STOP_S, max(STOP_S, STOP_GAPS * gap_s))


class RunBook:
    """Writes what happens to live runs. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, files: ArtifactFiles, settings: Settings) -> None:
        self._store = store
        self._files = files
        self._settings = settings
        self.summaries = Summaries(store)

    def absorb(self, run: LiveRun) -> None:
        """Take in all that the worker said; see whether it is gone, or silent for too long.

        Raises:
            ValueError, KeyError: it said what cannot be; nothing of that message was written.
        """
        was_alive = run.worker.is_alive()  # before the pipe is emptied, or a last word could be lost
        for data in run.worker.receive():
            run.hear()
            message = decode(data)
            if isinstance(message, Stopping):
                run.stop_deadline = time.monotonic() + GOODBYE_S
            elif isinstance(message, Batch) and message.run == run.id:
                self._take(run, logged_events(message))
        if not run.is_over:
            self._watch(run, was_alive)
        self._keep_line(run)

    def fail(self, run: LiveRun, code: str, message: str, hint: str) -> None:
        """End the run in words."""
        self._say(run, Failed(code, message, hint, run.step))
        self._keep_line(run)

    def _keep_line(self, run: LiveRun) -> None:
        if run.line is not None:
            self.summaries.keep(run.line)

    def _watch(self, run: LiveRun, is_alive: bool) -> None:
        now = time.monotonic()
        if run.hurried_until is not None and now > run.hurried_until and run.worker.hurry(is_on=False):
            run.hurried_until = None
        if not is_alive:
            self._lost(run)
        elif run.stop_deadline is not None and now > run.stop_deadline:
            run.worker.kill()
        elif run.is_resting:
            if now - run.touched > self._settings.pause_s:
                self._release(run)
        elif run.is_silent_for(self._settings.hang_s):
            run.is_hung = True
            run.worker.kill()

    def _release(self, run: LiveRun) -> None:
        """Somebody forgot this pause: others may have the worker. The run stays paused, and Resume starts it again."""
        LOG.info("run %s gives its worker back after a long pause", run.id)
        run.worker.kill()
        run.is_over = True
        self._store.update(run.id, attempt=max(0, run.record.attempt - 1), pid=None)  # the next attempt is not its fault

    def _take(self, run: LiveRun, events: tuple[LoggedEvent, ...]) -> None:
        if [logged.seq for logged in events] != list(range(run.seq + 1, run.seq + 1 + len(events))):
            raise ValueError(f"events out of order after {run.seq}")
        if not events or run.is_over:
            return
        events = _explained(events, run.notice)
        # All is derived before anything is written: what cannot be derived must leave neither row nor number behind.
        step, carry, state = run.step, run.carry, run.state
        for logged in events:
            step, carry = step_after(logged.event, step), carry_after(carry, logged.event)
            state = _state_after(state, logged.event)
        self._store.append(run.id, events)
        self._store.update(run.id, last_seq=events[-1].seq, last_step=step, state=state, carry=carry_text(carry))
        run.seq, run.step, run.carry, run.state = events[-1].seq, step, carry, state
        for logged in events:
            self._note(run, logged)
            if isinstance(logged.event, (StepsDone, Paused, Resumed)):
                run.is_let_go = isinstance(logged.event, StepsDone) and run.state == "paused"
            if run.line is not None:
                self.summaries.tell(run.line, logged.event)

    def _say(self, run: LiveRun, *events: Event) -> None:
        """Append events of the supervisor's own."""
        self._take(run, tuple(LoggedEvent(run.seq + n, event) for n, event in enumerate(events, start=1)))

    def _note(self, run: LiveRun, logged: LoggedEvent) -> None:
        event = logged.event
        if isinstance(event, ArtifactSaved):
            self._store.add_artifact(
                ArtifactRecord(run.id, event.name, event.kind, event.step, logged.seq, event.n_bytes, event.sha256)
            )
            run.has_new_checkpoint = run.has_new_checkpoint or event.kind == "checkpoint"
        elif isinstance(event, (Finished, Failed)):
            self._end(run, event)

    def _end(self, run: LiveRun, event: Finished | Failed) -> None:
        run.is_over = True
        reason = event.reason if isinstance(event, Finished) else event.message
        self._store.update(run.id, reason=reason, finished=time.time())

    def _lost(self, run: LiveRun) -> None:
        """The worker is gone and its run had not ended."""
        reason = run.worker.end()
        if run.stop_deadline is not None:
            self._say(run, *self._stopped(run))
        elif run.is_hung:
            message = f"The worker said nothing for {run.silent_s:.0f} s and was stopped."
            self.fail(run, "hung", message, "Choose a smaller model or batch.")
        elif run.record.attempt < self._settings.max_attempts:
            LOG.warning("run %s lost its worker (attempt %d): %s", run.id, run.record.attempt, reason)
            requeue(self._store, self._files, run.record, WorkerLost(reason, True), run.state)
            run.is_over, run.line = True, None  # its log went back: the next attempt begins its line anew
        else:
            self._say(run, WorkerLost(reason, False))
            message = f"The worker was lost {run.record.attempt} times: {reason}."
            self.fail(run, "worker-lost", message, "Choose a smaller model or batch, and look into the log of the workers.")
            self._store.update(run.id, state="interrupted")

    def _stopped(self, run: LiveRun) -> tuple[Event, ...]:
        """The end of a run whose worker did not hear that it was to stop: only what was saved is kept."""
        if run.worker.lane == "lens":
            return (Finished("stopped", run.step, time.monotonic() - run.begun),)
        end = stopped_without_worker(self._store, self._files, run.id)
        if end.step == run.step:
            return (end,)
        message = f"The worker did not stop in time and was ended: the weights of step {end.step:,} are kept."
        return Noticed("warning", "stopped-hard", message, "A smaller model or batch makes shorter steps."), end


def requeue(store: RunWriter, files: ArtifactFiles, record: RunRecord, lost: WorkerLost, state: RunState) -> None:
    """Let a run wait for another attempt. `state` is the one in which it was lost."""
    rewind_to_checkpoint(store, files, record, lost, was_paused=state == "paused")
    store.update(record.id, state="queued", pid=None)


def _explained(events: tuple[LoggedEvent, ...], notice: Noticed | None) -> tuple[LoggedEvent, ...]:
    """The events, with the notice before the end of a run that was stopped. Its worker says no more, so the numbers fit."""
    last = events[-1]
    if notice is None or not isinstance(last.event, Finished) or last.event.reason != "stopped":
        return events
    return (*events[:-1], LoggedEvent(last.seq, notice), LoggedEvent(last.seq + 1, last.event))


def _state_after(state: RunState, event: Event) -> RunState:
    match event:
        case Finished():
            return "stopped" if event.reason == "stopped" else "finished"
        case Failed():
            return "failed"
        case Paused() if state != "stopping":
            return "paused"
        case Started() | Resumed() if state != "stopping":
            return "running"
    return "running" if state == "starting" else state
