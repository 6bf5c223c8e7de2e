"""How the supervisor is doing, for the host alone: its workers, who waits, what it keeps, and what went wrong of late."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from core.errors import NotYours
from core.jobs.pool.control import Answer
from core.jobs.pool.engine import Engine
from core.jobs.pool.running import LiveRun
from core.jobs.pool_health import PoolHealth, Waiting, Worker
from core.logs import recent
from core.process import resident_bytes
from core.store.protocol import RunRecord, RunWriter

MOST_ROWS = 200
"""Workers, and waiting runs, that are told one by one: the answer is one line of bounded length."""
MOST_SAID = 20


class HealthDesk:
    """Answers the host."""

    def __init__(self, store: RunWriter, engine: Engine, live: Mapping[str, LiveRun]) -> None:
        self._store = store
        self._engine = engine
        self._live = live
        self._began = time.monotonic()
        self.asks: dict[str, Callable[[Answer], Answer]] = {"health": self._health}

    def _health(self, request: Answer) -> Answer:
        if "by" in request and request.get("as_host") is not True:
            raise NotYours("How the server is doing is for its host alone.", hint="Give the host's key first.")
        return {"health": asdict(self.health())}

    def health(self) -> PoolHealth:
        """As it is now."""
        now = time.monotonic()
        working = sorted((self._worker(run, now) for run in self._live.values()), key=lambda one: -one.age_s)
        parked = (Worker(pid, lane, "", "", "", "", 0.0, resident_bytes(pid)) for pid, lane in self._engine.parked())
        workers = [*working, *parked]
        waiting = self._store.in_states(["queued"])
        return PoolHealth(
            pid=os.getpid(),
            up_s=now - self._began,
            n_bytes=resident_bytes(),
            workers=tuple(workers[:MOST_ROWS]),
            n_workers=len(workers),
            waiting=tuple(_waiting(record) for record in waiting[:MOST_ROWS]),
            n_waiting=len(waiting),
            n_runs=self._store.n_runs(),
            stored_bytes=self._store.stored_bytes(),
            said=recent()[-MOST_SAID:],
        )

    def _worker(self, run: LiveRun, now: float) -> Worker:
        record, worker = run.record, run.worker
        age_s = now - run.begun
        return Worker(worker.pid, worker.lane, run.id, record.kind, record.owner, run.state, age_s, resident_bytes(worker.pid))


def _waiting(record: RunRecord) -> Waiting:
    return Waiting(record.id, record.kind, record.owner, max(0.0, time.time() - record.created))
