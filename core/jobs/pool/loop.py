"""The supervisor's loop: hear requests and workers, start what waits, and commit it all at once."""

import logging
import time
from dataclasses import replace
from multiprocessing.connection import wait

from core.errors import LayerwiseError, PoolError, SpecError, StoreError
from core.events import Failed, WorkerLost
from core.jobs.pool.control import Answer, Control, Request, refusal
from core.jobs.pool.engine import Engine, Lane, WorkerHandle
from core.jobs.pool.line import PRIORITY
from core.jobs.pool.recovery import assignment, end_without_worker, is_store_failing, stopped_without_worker
from core.jobs.pool.requests import MAX_ANSWERED_AGAIN, Requests
from core.jobs.pool.running import LiveRun, RunBook, requeue
from core.jobs.pool.scheduling import checkpoints_to_forget, n_checkpoints
from core.jobs.pool.standstill import identity
from core.logs import about
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import RunRecord, RunWriter
from core.types import UNFINISHED

LOG = logging.getLogger(__name__)

WINDOW_S = 0.025
"""What arrives within this time is committed together."""
WATCH_S = 0.25
IDLE_S = 2.0
FORGOTTEN_AT_ONCE = 20
LOCKED_S = 0.25
"""Before the next try to begin, where a database does not wait by itself."""


class Pool:
    """All runs of one data folder. One thread; the only writer of the store."""

    def __init__(self, settings: Settings, store: RunWriter, engine: Engine, control: Control) -> None:
        self._settings = settings
        self._store = store
        self._engine = engine
        self._control = control
        self._files = ArtifactFiles(settings.home)
        self._live: dict[str, LiveRun] = {}
        self._book = RunBook(store, self._files, settings)
        self._requests = Requests(store, self._files, settings, engine, self._live)
        self._forgotten: list[tuple[str, str]] = []
        self._may_have_old_results = True
        self._asked: list[Request] = []
        self._locked_by = ""
        self._is_over = False

    def run(self, after: str = "the supervisor was started again") -> None:
        """Work until somebody asks for a shutdown, or the data folder is taken away.

        Args:
            after: why runs that were under way have lost their workers.

        Raises:
            StoreError: nothing can be written any more. What was committed is whole; another pool goes on from there.
        """
        self._take_over(after)
        lock = self._settings.home / "lock"
        present = identity(lock)
        while not self._is_over and identity(lock) == present:
            self._wait()
            self._turn()

    def let_go(self, error: StoreError) -> None:
        """After `run` has failed: end the workers, whose words cannot be kept, and tell those who wait for an answer."""
        for request in self._asked:
            self._control.answer(request, refusal(error))
        for run in self._live.values():
            run.worker.kill()
            self._engine.give_back(run.worker)

    def _take_over(self, after: str) -> None:
        """Runs that an earlier pool left behind: their workers ended with it."""
        self._store.begin()
        # A paused run needs no worker until somebody resumes it.
        for record in self._store.in_states(UNFINISHED - {"queued", "paused"}):
            try:
                self._take_back(record, after)
            except (LayerwiseError, ValueError) as error:
                if is_store_failing(error):
                    raise
                LOG.exception("run %s cannot go on", record.id)
                self._store.update(record.id, state="interrupted", reason="its log cannot be read", finished=time.time())
        self._store.commit()

    def _take_back(self, record: RunRecord, after: str) -> None:
        if record.state == "stopping":
            end_without_worker(self._store, record, stopped_without_worker(self._store, self._files, record.id), "stopped")
            return
        requeue(self._store, self._files, record, WorkerLost(after, True), record.state)
        self._store.update(record.id, attempt=max(0, record.attempt - 1))  # not the run's fault

    def _wait(self) -> None:
        requests = self._control.waitables()
        workers = [one for run in self._live.values() for one in run.worker.waitables()]
        ready = wait([*requests, *workers, *self._engine.waitables()], WATCH_S if self._live else IDLE_S)
        if ready and not set(ready).intersection(requests):
            wait(requests, WINDOW_S)  # a request cuts the window short

    def _turn(self) -> None:
        self._engine.tend()
        if not self._has_begun():
            return
        self._asked = self._control.requests()
        answers = [(request, self._answer(request)) for request in self._asked]
        for run in list(self._live.values()):
            with about(run=run.id, owner=run.record.owner):
                self._hear(run)
        self._requests.admission.overtime.end(self._live.values())
        self._schedule()
        self._book.summaries.mend(self._live)
        self._requests.rooms.sweep()
        old_runs = self._forget_old_results() + self._requests.library.swept()
        self._store.commit()
        for request, answer in answers:
            self._control.answer(request, answer)
        self._asked = []
        for run_id, name in self._forgotten:  # only now that no row names them
            self._files.forget(run_id, name)
        self._forgotten.clear()
        for run_id in old_runs:
            self._files.forget_run(run_id)

    def _has_begun(self) -> bool:
        """Whether the transaction of this turn has begun. While another process holds the database, all wait in their pipes."""
        try:
            self._store.begin()
        except StoreError as error:
            if error.message != self._locked_by:
                LOG.warning("%s Trying again.", error.message)
            self._locked_by = error.message
            for request in self._control.requests():
                self._control.answer(request, refusal(error))
            time.sleep(LOCKED_S)
            return False
        self._locked_by = ""
        return True

    def _answer(self, request: Request) -> Answer:
        fields = request.fields
        with about(request=str(fields.get("ask"))[:40], run=str(fields.get("run", ""))[:64], owner=str(fields.get("by", ""))):
            return self._answered(request)

    def _answered(self, request: Request) -> Answer:
        try:
            if request.fields.get("ask") == "shutdown":
                self._is_over = True
                return {}
            return self._requests.answer(request.fields)
        except LayerwiseError as error:
            if is_store_failing(error):
                raise
            return refusal(error)
        except Exception:
            LOG.exception("a request could not be answered")
            return refusal(PoolError("Something went wrong inside Layerwise.", hint="The log of the supervisor says where."))

    def _hear(self, run: LiveRun) -> None:
        """Let one run have its say; what goes wrong with it must not touch the others."""
        try:
            self._book.absorb(run)
        except Exception as error:
            if is_store_failing(error):
                raise
            LOG.exception("run %s said what cannot be", run.id)
            run.worker.kill()
            self._book.fail(run, "bug", "Something went wrong inside Layerwise.", "The log of the supervisor says where.")
        if run.has_new_checkpoint:
            self._thin(run)
        if run.is_over:
            del self._live[run.id]
            self._may_have_old_results |= run.worker.lane == "lens"
            self._requests.admission.ended(run)
            self._engine.give_back(run.worker)

    def _schedule(self) -> None:
        lanes: tuple[Lane, ...] = ("lens", "training")
        for lane in lanes:
            for run_id in self._requests.admission.startable(lane):
                record = self._store.run(run_id)
                worker = self._engine.take(lane) if record is not None else None
                if record is None or worker is None:
                    break
                self._start(record, worker)

    def _start(self, record: RunRecord, worker: WorkerHandle) -> None:
        try:
            told = assignment(self._store, record)
            self._files.sweep(record.id)
        except (SpecError, ValueError, OSError):
            LOG.exception("run %s cannot be started", record.id)
            message, hint = "This run cannot be started again: what was noted about it cannot be read.", "Start it anew."
            end_without_worker(self._store, record, Failed("bug", message, hint, record.last_step), "failed")
            worker.kill()
            self._engine.give_back(worker)
            return
        now = time.time()
        columns = {"state": "starting", "attempt": record.attempt + 1, "started": record.started or now, "pid": worker.pid}
        self._store.update(record.id, **columns)
        fresh = replace(record, state="starting", attempt=record.attempt + 1, started=record.started or now)
        self._live[record.id] = run = LiveRun.begin(fresh, worker, told)
        if worker.lane == "training":
            run.line = self._book.summaries.opened(record)

    def _forget_old_results(self) -> tuple[str, ...]:
        """Forget a few old lens runs; the ids of those whose files go after the commit."""
        if not self._may_have_old_results:
            return ()
        lens, limit = PRIORITY["lens"], MAX_ANSWERED_AGAIN + FORGOTTEN_AT_ONCE
        too_many = self._store.old_runs(priority=lens, keep=self._settings.kept_lens_runs, limit=limit)
        too_much = self._store.runs_beyond(self._settings.kept_lens_mb * 2**20, priority=lens, limit=limit)
        old = dict.fromkeys((*too_many, *too_much))
        gone = [run for run in old if run not in self._requests.answered_again][:FORGOTTEN_AT_ONCE]
        self._may_have_old_results = len(gone) == FORGOTTEN_AT_ONCE
        self._store.forget_runs(gone)
        return tuple(gone)

    def _thin(self, run: LiveRun) -> None:
        """Forget some rows of checkpoints, so that a long run does not fill the disk. Their files go after the commit."""
        run.has_new_checkpoint = False
        records = self._store.artifacts(run.id, "checkpoint")
        best = [one for one in records if one.name.startswith("best-")]
        others = [one for one in records if one not in best]
        n_kept = n_checkpoints(max(one.n_bytes for one in records), self._settings)
        steps = checkpoints_to_forget((one.step for one in others), n_kept)
        old = best[:-1] + [one for one in others if one.step in steps]
        if old:
            jobs = [record.job for record in self._store.in_states(UNFINISHED)]
            names = [one.name for one in old if not any(one.sha256 in job for job in jobs)]
            self._store.forget_artifacts(run.id, names)
            self._forgotten += [(run.id, name) for name in names]
