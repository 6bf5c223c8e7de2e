"""What clients ask of the supervisor: submit a job, order a command, tell how busy the pool is."""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from core.errors import SpecError, StoreError, nearest
from core.events import (
    COMMANDS,
    AddLane,
    Command,
    Event,
    Pause,
    RemoveLane,
    Resume,
    SetHyper,
    SetSpeed,
    Started,
    Step,
    Stop,
    SwapOptimizer,
    load_command,
)
from core.jobs.job import Job, PoolStatus
from core.jobs.menu import parse_job
from core.jobs.messages import Carry, Change, carry_text, parse_carry
from core.jobs.pool.control import Answer
from core.jobs.pool.engine import Engine, Lane
from core.jobs.pool.library import Library, plain
from core.jobs.pool.ownership import check_may_change, owner_of
from core.jobs.pool.recovery import end_without_worker, rewind_to_checkpoint, stopped_without_worker
from core.jobs.pool.running import LiveRun
from core.jobs.pool.scheduling import check_room
from core.jobs.pool.summaries import Summaries
from core.run_row import MAX_NAME
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import RunRecord, RunWriter

LANE_CHANGES = ("HyperChanged", "OptimizerSwapped", "LaneAdded", "LaneRemoved")
MAX_STEPS = 100_000
MAX_ANSWERED_AGAIN = 256
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

PRIORITY = {"lens": 0, "training": 1}


class Requests:
    """Answers requests. Every method belongs inside a transaction; answers go out after its commit."""

    def __init__(
        self, store: RunWriter, files: ArtifactFiles, settings: Settings, engine: Engine, live: Mapping[str, LiveRun]
    ) -> None:
        self._store = store
        self._files = files
        self._settings = settings
        self._engine = engine
        self._live = live
        self._summaries = Summaries(store)
        self.library = Library(store, settings)
        self.answered_again = deque[str](maxlen=MAX_ANSWERED_AGAIN)
        """Old runs whose results somebody has just been sent to."""
        self._asks: dict[str, Callable[[Answer], Answer]] = {
            "submit": self._submit,
            "command": self._command,
            "status": self._status,
            **self.library.asks,
        }

    def answer(self, request: Answer) -> Answer:
        """The answer to one request.

        Raises:
            SpecError: it cannot be granted; the message says why.
        """
        name = _text(request, "ask")
        if name not in self._asks:
            raise SpecError(f"There is no request {name[:80]!r}.", hint=nearest(name, self._asks))
        return self._asks[name](request)

    def _submit(self, request: Answer) -> Answer:
        run = _text(request, "run")
        if not _ID.fullmatch(run):
            raise SpecError("The id of a run has 32 hexadecimal digits.", hint="Leave the choice of the id to the client.")
        if self._store.run(run) is not None:  # the same request again, after its answer was lost
            return {"run": run}
        job = parse_job(_text(request, "job"))
        _check(job, self._settings)
        key = job.key()
        known = self._store.by_key(key) if job.has_lasting_answer else None
        if known is not None and self._has_all_files(known):
            self.answered_again.append(known.id)
            self.library.revive(known.id)
            return {"run": known.id}
        self._check_room(job.lane)
        owner, name = owner_of(request), plain(_text(request, "name"), MAX_NAME)
        self._store.create(_new_record(run, job, key, owner, name))
        self._store.update(run, priority=PRIORITY[job.lane])
        if job.lane == "training":
            self._summaries.begin(run, job)
        return {"run": run}

    def _check_room(self, lane: Lane) -> None:
        n_live = sum(one.worker.lane == lane for one in self._live.values())
        check_room(lane, n_live + len(self._store.queue(priority=PRIORITY[lane])), self._settings)

    def _has_all_files(self, record: RunRecord) -> bool:
        return all(self._files.is_whole(record.id, one.name, one.sha256) for one in self._store.artifacts(record.id))

    def _command(self, request: Answer) -> Answer:
        command = _parse_command(request)
        record = self._store.run(_text(request, "run"))
        if record is None:
            raise SpecError("There is no such run.", hint="Take the id from the list of runs.")
        check_may_change(record, request)
        live = self._live.get(record.id)
        job = parse_job(record.job)
        job.check_command(command, self._changes(record.id) if job.lane == "training" else ())
        if live is not None and not live.is_over:
            live.order(command)
            self._store.update(record.id, state=live.state)
        elif record.state == "queued":
            self._command_waiting(record, command)
        elif record.state == "paused":
            self._command_released(record, command, job.lane)
        else:
            raise SpecError(f"This run is {record.state}, so it takes no commands.", hint="Start it again.")
        return {}

    def _command_waiting(self, record: RunRecord, command: Command) -> None:
        carry = parse_carry(self._store.carry(record.id))
        match command:
            case Stop():
                end_without_worker(self._store, record, stopped_without_worker(self._store, self._files, record.id), "stopped")
            case Pause():
                self._store.update(record.id, carry=carry_text(Carry(carry.changes, record.last_step)))
            case Resume():
                self._store.update(record.id, carry=carry_text(Carry(carry.changes, None)))
            case _:
                raise SpecError("This run still waits for its turn.", hint="Do this once it runs, or stop it now.")

    def _command_released(self, record: RunRecord, command: Command, lane: Lane) -> None:
        """A run whose long pause took its worker waits for another one, to go on where it was."""
        if isinstance(command, Stop):
            self._command_waiting(record, command)
            return
        if isinstance(command, Pause):
            return
        self._check_room(lane)
        rewind_to_checkpoint(self._store, self._files, record, None, was_paused=True)
        carry = parse_carry(self._store.carry(record.id))
        match command:
            case Resume():
                carry = Carry(carry.changes, None)
            case Step():
                carry = Carry(carry.changes, record.last_step + self._n_steps(record, command))
            case SetHyper() | SwapOptimizer() | AddLane() | RemoveLane():
                carry = Carry((*carry.changes, Change.of(record.last_step, command)), carry.pause_at)
            case SetSpeed():
                raise SpecError("This paused run has no worker at present.", hint="Resume it, then set its speed.")
        self._store.update(record.id, state="queued", carry=carry_text(carry))

    def _changes(self, run: str) -> tuple[Event, ...]:
        """The changes of lanes in a run's log, in order."""
        found = [logged for name in LANE_CHANGES for logged in self._store.events(run, name=name)]
        return tuple(logged.event for logged in sorted(found, key=lambda logged: logged.seq))

    def _n_steps(self, record: RunRecord, step: Step) -> int:
        """How many steps a worker must make that begins anew; a single phase shows nothing then."""
        started = self._store.last_event(record.id, "Started")
        if step.unit == "epoch" and isinstance(started, Started):
            whole = started.steps_per_epoch
            return step.n * whole - record.last_step % whole
        return step.n if step.unit == "step" else 0

    def _status(self, request: Answer) -> Answer:
        running = [run for run in self._live.values() if run.is_working]
        queued = self._store.in_states(["queued"])
        status = PoolStatus(self._engine.is_warm("training"), self._engine.is_warm("lens"), len(running), len(queued))
        return {"status": asdict(status)}


def _check(job: Job, settings: Settings) -> None:
    """As `Job.check`. What a job misses there is for the visitor to mend: only the store's own failures end the supervisor."""
    try:
        job.check(settings)
    except StoreError as error:
        raise SpecError(error.message, hint=error.hint) from error


def _new_record(run: str, job: Job, key: str, owner: str, name: str) -> RunRecord:
    return RunRecord(
        id=run,
        kind=job.kind,
        owner=owner,
        name=name,
        state="queued",
        reason="",
        job=job.model_dump_json(),
        key=key,
        attempt=0,
        generation=0,
        last_seq=0,
        last_step=0,
        created=time.time(),
        started=None,
        finished=None,
    )


def _parse_command(request: Answer) -> Command:
    name = _text(request, "command")
    if name not in COMMANDS:
        raise SpecError(f"There is no command {name[:80]!r}.", hint=nearest(name, COMMANDS))
    try:
        command = load_command(name, _text(request, "fields"))
    except ValidationError as error:
        raise SpecError(f"{name}: {error.errors(include_url=False)[0]['msg']}.", hint="Change the command.") from None
    if isinstance(command, Step) and not 1 <= command.n <= MAX_STEPS:
        raise SpecError(f"{command.n:,} steps at once, but it must be 1 to {MAX_STEPS:,}.", hint="Change the number of steps.")
    return command


def _text(request: Answer, name: str) -> str:
    value: Any = request.get(name, "")
    if not isinstance(value, str):
        raise SpecError(f"{name}: this must be text.", hint=f"Change {name}.")
    return value
