"""Commands for runs: to the worker of a live run, else what they mean for a run that waits or whose worker was given back."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from core.errors import SpecError, nearest
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
from core.jobs.menu import parse_job
from core.jobs.messages import Carry, Change, carry_text, parse_carry
from core.jobs.pool.admission import Admission
from core.jobs.pool.control import Answer
from core.jobs.pool.engine import Lane
from core.jobs.pool.ownership import check_may_change
from core.jobs.pool.recovery import end_without_worker, rewind_to_checkpoint, stopped_without_worker
from core.jobs.pool.running import LiveRun
from core.jobs.resuming import last_word, reason_against_resume, resumed_from
from core.store.artifacts import ArtifactFiles
from core.store.protocol import LoggedEvent, RunRecord, RunWriter
from core.types import UNFINISHED

LANE_CHANGES = ("HyperChanged", "OptimizerSwapped", "LaneAdded", "LaneRemoved")
MAX_STEPS = 100_000


class Orders:
    """Obeys commands. Every method belongs inside a transaction.

    Args:
        admission: refuses what there is no room for, and knows who waits for an answer.
    """

    def __init__(self, store: RunWriter, files: ArtifactFiles, live: Mapping[str, LiveRun], admission: Admission) -> None:
        self._store = store
        self._files = files
        self._live = live
        self._admission = admission

    def command(self, request: Answer) -> Answer:
        """Pass a command on to a run, or do it here where the run has no worker.

        Raises:
            SpecError: it cannot be obeyed; the message says why.
        """
        command = _parse_command(request)
        record = self._store.run(text_of(request, "run"))
        if record is None:
            raise SpecError("There is no such run.", hint="Take the id from the list of runs.")
        if self._goes_on_for_others(record, request, command):
            return {}
        live = self._live.get(record.id)
        job = parse_job(record.job)
        if isinstance(command, Resume) and record.state not in UNFINISHED and job.lane == "training":
            self._resume_ended(record)
            return {}
        job.check_command(command, self._changes(record.id) if job.lane == "training" else ())
        if live is not None and not live.is_over:
            self._admission.check_turn(live, command)
            live.order(command)
            self._store.update(record.id, state=live.state)
        elif record.state == "queued":
            self._command_waiting(record, command)
        elif record.state == "paused":
            self._command_released(record, command, job.lane)
        elif not (isinstance(command, Stop) and record.state == "stopped"):  # a second Stop has nothing left to do
            raise SpecError(f"This run is {record.state}, so it takes no commands.", hint="Start it again.")
        return {}

    def _goes_on_for_others(self, record: RunRecord, request: Answer, command: Command) -> bool:
        """Whether this Stop takes no more away than the interest of one of those who wait for an answer.

        Raises:
            NotYours: the run belongs to somebody else, and who sent this has not asked for it too.
        """
        is_stop = isinstance(command, Stop) and record.state in UNFINISHED
        heard = self._admission.askers.stop(record, request) if is_stop else "stranger"
        if heard == "stranger":
            check_may_change(record, request)
        return heard == "goes on"

    def _resume_ended(self, record: RunRecord) -> None:
        """A run that was stopped, failed or lost its worker too often waits again, to go on from its newest whole checkpoint.

        What is behind that in its log, its end too, is trained and told anew, bit for bit. Its attempts count anew.
        """
        reason, hint = reason_against_resume(last_word(self._store, record))
        if reason:
            raise SpecError(reason, hint=hint)
        self._admission.check_again(record, "training")
        rewind_to_checkpoint(self._store, self._files, record, None, was_paused=False)
        carry, rewound = parse_carry(self._store.carry(record.id)), self._store.run(record.id) or record
        self._store.append(record.id, [LoggedEvent(rewound.last_seq + 1, resumed_from(rewound.last_step))])
        self._store.say(record.id, deleted=None)  # an unfinished run must not be swept away
        self._store.update(
            record.id,
            **{"state": "queued", "reason": "", "attempt": 0, "finished": None, "pid": None},
            **{"last_seq": rewound.last_seq + 1, "carry": carry_text(Carry(carry.changes, None))},
        )

    def _command_waiting(self, record: RunRecord, command: Command) -> None:
        carry = parse_carry(self._store.carry(record.id))
        match command:
            case Stop():
                end_without_worker(self._store, record, stopped_without_worker(self._store, self._files, record.id), "stopped")
                self._admission.forget(record.id)
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
        self._admission.check_again(record, lane)
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


def _parse_command(request: Answer) -> Command:
    name = text_of(request, "command")
    if name not in COMMANDS:
        raise SpecError(f"There is no command {name[:80]!r}.", hint=nearest(name, COMMANDS))
    try:
        command = load_command(name, text_of(request, "fields"))
    except ValidationError as error:
        raise SpecError(f"{name}: {error.errors(include_url=False)[0]['msg']}.", hint="Change the command.") from None
    if isinstance(command, Step) and not 1 <= command.n <= MAX_STEPS:
        raise SpecError(f"{command.n:,} steps at once, but it must be 1 to {MAX_STEPS:,}.", hint="Change the number of steps.")
    return command


def text_of(request: Answer, name: str) -> str:
    """A field of a request, empty where there is none.

    Raises:
        SpecError: it is no text.
    """
    value: Any = request.get(name, "")
    if not isinstance(value, str):
        raise SpecError(f"{name}: this must be text.", hint=f"Change {name}.")
    return value
