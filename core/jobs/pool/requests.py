"""What clients ask of the supervisor: submit a job, order a command, tell how busy the pool is."""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from core.errors import LayerwiseError, SpecError, StoreError, nearest
from core.jobs.job import Job, PoolStatus
from core.jobs.menu import parse_job
from core.jobs.pool.admission import Admission
from core.jobs.pool.control import Answer, refusal
from core.jobs.pool.engine import Engine
from core.jobs.pool.health import HealthDesk
from core.jobs.pool.library import Library, plain
from core.jobs.pool.line import PRIORITY
from core.jobs.pool.orders import Orders, text_of
from core.jobs.pool.ownership import owner_of
from core.jobs.pool.recovery import is_store_failing
from core.jobs.pool.rooms import Rooms
from core.jobs.pool.running import LiveRun
from core.jobs.pool.summaries import Summaries
from core.run_row import MAX_NAME
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import RunRecord, RunWriter

MAX_ANSWERED_AGAIN = 256
MAX_JOBS = 32
"""In one request."""
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


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
        self.rooms = Rooms(store)
        self.admission = Admission(store, files, settings, live)
        self._orders = Orders(store, files, live, self.admission)
        self.answered_again = deque[str](maxlen=MAX_ANSWERED_AGAIN)
        """Old runs whose results somebody has just been sent to."""
        self._asks: dict[str, Callable[[Answer], Answer]] = {
            "submit": self._submit,
            "submit_all": self._submit_all,
            "command": self._orders.command,
            "status": self._status,
            **self.library.asks,
            **self.rooms.asks,
            **self.admission.asks,
            **HealthDesk(store, engine, live).asks,
        }

    def answer(self, request: Answer) -> Answer:
        """The answer to one request.

        Raises:
            SpecError: it cannot be granted; the message says why.
        """
        name = text_of(request, "ask")
        if name not in self._asks:
            raise SpecError(f"There is no request {name[:80]!r}.", hint=nearest(name, self._asks))
        return self._asks[name](request)

    def _submit(self, request: Answer) -> Answer:
        run = text_of(request, "run")
        if not _ID.fullmatch(run):
            raise SpecError("The id of a run has 32 hexadecimal digits.", hint="Leave the choice of the id to the client.")
        if self._store.run(run) is not None:  # the same request again, after its answer was lost
            return {"run": run}
        job = parse_job(text_of(request, "job"))
        _check(job, self._settings)
        key = job.key()
        known = self._store.by_key(key) if job.has_lasting_answer else None
        if known is not None and self._has_all_files(known):
            self.answered_again.append(known.id)
            self.library.revive(known.id)
            self.admission.note_asker(job, known.id, request)
            return {"run": known.id}
        owner, name = owner_of(request), plain(text_of(request, "name"), MAX_NAME)
        self.admission.check(job, owner)
        self._store.create(_new_record(run, job, key, owner, name))
        self._store.update(run, priority=PRIORITY[job.lane])
        self.admission.note_asker(job, run, request)
        if job.lane == "training":
            self._summaries.begin(run, job)
            self.rooms.note_run(request, run)
        return {"run": run}

    def _submit_all(self, request: Answer) -> Answer:
        """Each as if it came alone: one that is refused keeps none of the others out."""
        jobs: Any = request.get("jobs")
        if not isinstance(jobs, list) or not 0 < len(jobs) <= MAX_JOBS or not all(isinstance(one, dict) for one in jobs):
            raise SpecError(f"jobs: this must be a list of 1 to {MAX_JOBS} jobs.", hint="Leave this to the client.")
        return {"answers": [self._submitted_or_refused(request | one) for one in jobs]}

    def _submitted_or_refused(self, request: Answer) -> Answer:
        try:
            return self._submit(request)
        except LayerwiseError as error:
            if is_store_failing(error):
                raise
            return refusal(error)

    def _has_all_files(self, record: RunRecord) -> bool:
        return all(self._files.is_whole(record.id, one.name, one.sha256) for one in self._store.artifacts(record.id))

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
