"""The line of training runs: which of them may start now, and when the others will."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.errors import LayerwiseError
from core.experiment.need import Need
from core.jobs.menu import parse_job
from core.jobs.pool.control import Answer
from core.jobs.pool.estimates import Expected, expected
from core.jobs.pool.overtime import WorkTimes
from core.jobs.pool.running import LiveRun
from core.jobs.pool.scheduling import Ask, Limits, Occupancy, startable
from core.process import machine_memory
from core.settings import Settings
from core.store.protocol import RunRecord, RunWriter

PRIORITY = {"lens": 0, "training": 1}
OVERTAKE_S = 60.0
"""A run that lacks memory is overtaken by others for so long and no longer."""
NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an unfinished run, and what it takes; None for little."""

    ask: Ask
    need: Need | None


class TrainingLine:
    """Those that wait, and those that work. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, settings: Settings, live: Mapping[str, LiveRun], worked: WorkTimes) -> None:
        self._store = store
        self._settings = settings
        self._live = live
        self._worked = worked
        self._limits = limits_of(settings)
        self._known: dict[str, Known] = {}
        self._lacks_memory: dict[str, float] = {}

    def startable(self) -> Iterator[str]:
        """The runs that may start now, next one first. Whoever does not start one must not ask for a further one."""
        present = self.occupancy()
        if present.is_full:
            return
        waiting = self._waiting()
        for ask in startable(waiting, present, self._has_waited):
            yield ask.run
        self._forget_others({ask.run for ask in waiting})

    def occupancy(self) -> Occupancy:
        """What works now."""
        present = Occupancy(self._limits)
        for run in self._live.values():
            if run.worker.lane == "training" and not run.is_over:
                present.add(self.known(run.record).ask, is_working=run.is_working)
        return present

    def known(self, record: RunRecord) -> Known:
        """What is known of a run."""
        if record.id not in self._known:
            need = _need(record)
            is_large = need is not None and need.is_large(self._settings)
            self._known[record.id] = Known(Ask(record.id, record.owner, need.memory_bytes if need else 0, is_large), need)
        return self._known[record.id]

    def places(self, request: Answer) -> Answer:
        """For each waiting run its place, the seconds until it starts (null: nobody knows), and what it waits for."""
        waiting = self._waiting()
        if not waiting:
            return {"queue": {}}
        working = [
            Expected(self.known(run.record).ask, self._left_s(run))
            for run in self._live.values()
            if run.worker.lane == "training" and run.is_working
        ]
        n_sharing = max(1.0, min(self._limits.running, len(working) + len(waiting)) / (os.cpu_count() or 1))
        places = expected([Expected(ask, self._whole_s(ask.run, n_sharing)) for ask in waiting], working, self._limits)
        return {"queue": {one.run: [one.place, one.wait_s, one.waits_for] for one in places}}

    def _waiting(self) -> list[Ask]:
        """Next one first."""
        found = []
        for run in self._store.queue(priority=PRIORITY["training"]):
            record = None if run in self._known else self._store.run(run)
            if record is not None:
                self.known(record)
            found.append(self._known[run].ask)
        return found

    def _has_waited(self, ask: Ask) -> bool:
        now = time.monotonic()
        return now - self._lacks_memory.setdefault(ask.run, now) > OVERTAKE_S

    def _forget_others(self, waiting: set[str]) -> None:
        """Drop what is known of runs that neither wait nor work."""
        kept = waiting | set(self._live)
        self._known = {run: known for run, known in self._known.items() if run in kept}
        self._lacks_memory = {run: since for run, since in self._lacks_memory.items() if run in waiting}

    def _left_s(self, run: LiveRun) -> float | None:
        """How long a working run still takes: by its speed so far, or by what was expected of it."""
        need, worked, step_s = self.known(run.record).need, self._worked.of(run.id), self._worked.step_s(run)
        ends = [self._settings.run_max_s]
        if need is not None and need.n_steps is not None and step_s is not None:
            ends += [worked + step_s * (need.n_steps - run.step)]
            ends += [] if need.limit_s is None else [need.limit_s]
        elif need is not None and need.seconds is not None:
            ends += [need.seconds]
        else:
            return None
        return max(0.0, min(ends) - worked)

    def _whole_s(self, run: str, n_sharing: float) -> float | None:
        """How long a waiting run will take, where so many share a core."""
        need = self._known[run].need
        if need is None or need.seconds is None:
            return None
        return min(self._settings.run_max_s, need.limit_s or self._settings.run_max_s, need.seconds * n_sharing)


def limits_of(settings: Settings) -> Limits:
    """What may work at once on this machine."""
    memory = machine_memory()
    allowed = int(settings.memory_share * memory[0]) if memory else NO_LIMIT
    return Limits(settings.max_running, settings.large_running or os.cpu_count() or 1, settings.visitor_running, allowed)


def _need(record: RunRecord) -> Need | None:
    """What a run takes; None for a job that cannot be read any more, which is said when it is started."""
    try:
        return parse_job(record.job).need()
    except (LayerwiseError, ValueError):
        return None
