"""Which runs must end: those that have worked for too long, and those of visitors who have left."""

import time
from collections.abc import Callable, Iterable

from core.events import Noticed, Stop
from core.jobs.pool.askers import Askers
from core.jobs.pool.presence import Presence
from core.jobs.pool.recovery import end_without_worker, stopped_without_worker
from core.jobs.pool.running import LiveRun
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import LoggedEvent, RunRecord, RunWriter

LOOK_S = 1.0
"""Who has left is looked for so often."""
SURE_S = 1.0
"""A run's speed is known after so much work."""
HINT = "Resume it to go on from there."


class WorkTimes:
    """How long each run has worked: not while it waits or is paused. A run that is resumed after its end begins anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._worked: dict[str, float] = {}
        self._begun: dict[str, int] = {}
        self._seen: dict[str, float] = {}

    def note(self, live: Iterable[LiveRun]) -> None:
        """Add the time since the last call for the runs that work."""
        now = self._clock()
        working = [run for run in live if run.is_working]
        for run in working:
            self._worked[run.id] = self._worked.get(run.id, 0.0) + now - self._seen.get(run.id, now)
            self._begun.setdefault(run.id, run.step)
        self._seen = {run.id: now for run in working}

    def of(self, run: str) -> float:
        """Seconds of work."""
        return self._worked.get(run, 0.0)

    def step_s(self, run: LiveRun) -> float | None:
        """Seconds that one of its steps has taken on average; None where it has hardly worked."""
        steps, worked = run.step - self._begun.get(run.id, run.step), self.of(run.id)
        return worked / steps if steps > 0 and worked >= SURE_S else None

    def forget(self, run: str) -> None:
        """The run has ended."""
        self._worked.pop(run, None)
        self._begun.pop(run, None)


class Overtime:
    """Stops what must end, with a notice that says why. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, files: ArtifactFiles, settings: Settings, presence: Presence, askers: Askers) -> None:
        self._store = store
        self._files = files
        self._settings = settings
        self._presence = presence
        self._askers = askers
        self._looked = time.monotonic()
        self.worked = WorkTimes()

    def end(self, live: Iterable[LiveRun]) -> None:
        """Look at the runs with a worker on every call, and now and then at those without."""
        live = list(live)
        self.worked.note(live)
        for run in live:
            if run.stop_deadline is None and self.worked.of(run.id) > self._settings.run_max_s:
                self._stop(run, too_long(self._settings.run_max_s))
        if not self._settings.lease_s or time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        for run in live:
            if run.stop_deadline is None and not run.is_over and self._is_left(run.record):
                self._stop(run, left(self._settings.lease_s))
        held = {run.id for run in live}
        for record in self._store.in_states({"queued", "paused"}):
            if record.id not in held and self._is_left(record):
                self._end_waiting(record)

    def _is_left(self, record: RunRecord) -> bool:
        return all(self._presence.is_gone(owner) for owner in self._askers.of(record))

    def _stop(self, run: LiveRun, notice: Noticed) -> None:
        run.notice = notice
        run.order(Stop())
        self._store.update(run.id, state=run.state)

    def _end_waiting(self, record: RunRecord) -> None:
        seq = record.last_seq + 1
        self._store.append(record.id, [LoggedEvent(seq, left(self._settings.lease_s))])
        self._store.update(record.id, last_seq=seq)
        noticed = self._store.run(record.id) or record
        end_without_worker(self._store, noticed, stopped_without_worker(self._store, self._files, record.id), "stopped")
        self.worked.forget(record.id)
        self._askers.forget(record.id)


def too_long(run_max_s: float) -> Noticed:
    """Said of a run that has used up its time."""
    message = f"This run has worked for {span(run_max_s)}, which is the limit: it was stopped at its last step."
    return Noticed("warning", "run-time", message, HINT)


def left(lease_s: float) -> Noticed:
    """Said of a run whose visitor has left."""
    message = f"You had no page open for {span(lease_s)}, so this run was stopped at its last step."
    return Noticed("warning", "left", message, HINT)


def span(seconds: float) -> str:
    """A length of time as a person says it: `40 seconds`, `10 minutes`, `2.5 hours`."""
    for unit, name in ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= unit:
            n = seconds / unit
            return f"{n:.3g} {name}" + ("" if n == 1 else "s")
    return f"{seconds:.3g} second" + ("" if seconds == 1 else "s")
