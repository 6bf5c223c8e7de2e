"""After a worker was lost: rewind the log to the newest whole checkpoint and note what the next attempt must take over.

The replayed tail is computed again, bit for bit, so a reader sees the curve that would have been.
"""

import time
from collections.abc import Iterator

from pydantic import ValidationError

from core.errors import StoreError
from core.events import Event, Failed, Finished, Paused, Resumed, StepsDone, WorkerLost, remade
from core.jobs.messages import Assignment, Carry, Change, Checkpoint, carry_text, parse_carry, step_after
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent, RunReader, RunRecord, RunWriter
from core.types import RunState


def rewind_to_checkpoint(
    store: RunWriter, files: ArtifactFiles, record: RunRecord, lost: WorkerLost | None, *, was_paused: bool
) -> None:
    """Take the log back to where the next attempt begins and append `lost` there. Call it inside a transaction."""
    checkpoint = newest_whole(store, files, record.id)
    seq, step = (checkpoint.seq, checkpoint.step) if checkpoint else (0, 0)
    tail = list(_events(store, record.id, seq))
    carry = _carried(was_paused, parse_carry(store.carry(record.id)), tail, step)
    notes = [event for event in [*tail, lost] if isinstance(event, WorkerLost)]
    store.rewind(record.id, seq)
    store.append(record.id, [LoggedEvent(seq + n, event) for n, event in enumerate(notes, start=1)])
    store.update(record.id, last_seq=seq + len(notes), last_step=step, carry=carry_text(carry))


def assignment(store: RunWriter, record: RunRecord) -> Assignment:
    """What to tell the worker that takes this run."""
    checkpoint = max(store.artifacts(record.id, "checkpoint"), key=lambda one: one.seq, default=None)
    return Assignment(
        record.id,
        record.job,
        record.last_seq,
        Checkpoint(checkpoint.name, checkpoint.sha256, checkpoint.step) if checkpoint else None,
        parse_carry(store.carry(record.id)),
    )


def stopped_without_worker(store: RunWriter, files: ArtifactFiles, run: str) -> Finished:
    """The end of a run that nobody can ask any more: at the step whose weights there are, after the time it trained."""
    checkpoint = newest_whole(store, files, run)
    return Finished("stopped", checkpoint.step if checkpoint else 0, _training_s(store, run))


def end_without_worker(store: RunWriter, record: RunRecord, end: Finished | Failed, state: RunState) -> None:
    """End a run that has no worker. Call it inside a transaction."""
    seq = record.last_seq + 1
    store.append(record.id, [LoggedEvent(seq, end)])
    reason = end.reason if isinstance(end, Finished) else end.message
    store.update(record.id, state=state, reason=reason, last_seq=seq, finished=time.time())


def newest_whole(store: RunReader, files: ArtifactFiles, run: str) -> ArtifactRecord | None:
    """The newest checkpoint from which the log can go on: its file can be read, and no later step was told before it."""
    known = sorted(store.artifacts(run, "checkpoint"), key=lambda one: one.seq)
    starts = [0, *(one.seq for one in known)]
    for one, start in reversed(list(zip(known, starts, strict=False))):
        if files.is_whole(run, one.name, one.sha256) and not _is_late(store, one, start):
            return one
    return None


def is_store_failing(error: Exception) -> bool:
    """Whether the store itself cannot be used; not where it is well and has a log that this version cannot read."""
    return isinstance(error, StoreError) and not isinstance(error.__cause__, (KeyError, ValidationError))


def _is_late(store: RunReader, checkpoint: ArtifactRecord, start: int) -> bool:
    """Whether steps beyond it stand in the log between `start` and it: the best epoch is put away when there is time."""
    told = (logged for logged in store.events(checkpoint.run, start, name="StepsDone") if logged.seq < checkpoint.seq)
    return any(step_after(logged.event, 0) > checkpoint.step for logged in told)


def _training_s(store: RunWriter, run: str) -> float:
    """Seconds of training that are in the log, without pauses; 0.0 where no step was done."""
    last = store.last_event(run, "StepsDone")
    return last.elapsed_s if isinstance(last, StepsDone) else 0.0


def _events(store: RunWriter, run: str, after: int) -> Iterator[Event]:
    while page := store.events(run, after):
        yield from (logged.event for logged in page)
        after = page[-1].seq


def carry_after(carry: Carry, event: Event) -> Carry:
    """What is still to be taken over once `event` is in the log: what was made again, the log tells from now on."""
    if isinstance(event, (Paused, Resumed)):
        return Carry(carry.changes, None)
    change = remade(event)
    made = Change.of(*change) if change else None
    if made in carry.changes:
        at = carry.changes.index(made)
        return Carry(carry.changes[:at] + carry.changes[at + 1 :], carry.pause_at)
    return carry


def _carried(was_paused: bool, before: Carry, tail: list[Event], step: int) -> Carry:
    """Changes by hand that the checkpoint of `step` does not have, and where the run was paused.

    `before` holds what the lost attempt was told and did not come to do.
    """
    made = [Change.of(*change) for event in tail if (change := remade(event))]
    known = [change for change in before.changes if change.step >= step]
    pause_at = before.pause_at
    if pause_at is None and was_paused:
        pause_at = next((event.step for event in reversed(tail) if isinstance(event, Paused)), step)
    return Carry(tuple(sorted(known + made, key=lambda change: change.step)), pause_at)
