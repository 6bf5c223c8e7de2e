"""A client whose jobs are done in this process, at once: screens are tested without a pool."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from core.errors import LayerwiseError, StoreError
from core.events import Artifact, ArtifactSaved, Command, Event, Failed, Finished, Stop
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.job import Job, PoolStatus
from core.settings import Settings
from core.store.protocol import ArtifactRecord, LoggedEvent, RunRecord
from core.store.usage import Usage

STATES = {"completed": "finished", "target": "finished", "time": "finished", "stopped": "stopped"}


class InlineStore:
    """Runs in memory."""

    def __init__(self) -> None:
        self.records: dict[str, RunRecord] = {}
        self.logs: dict[str, list[LoggedEvent]] = {}
        self.saved: dict[str, list[ArtifactRecord]] = {}

    def run(self, run: str) -> RunRecord | None:
        return self.records.get(run)

    def events(self, run: str, after: int = 0, limit: int = 10_000, *, name: str | None = None) -> tuple[LoggedEvent, ...]:
        log = [logged for logged in self.logs[run] if logged.seq > after]
        return tuple(logged for logged in log if name in (None, type(logged.event).__name__))[:limit]

    def artifacts(self, run: str, kind: str | None = None) -> tuple[ArtifactRecord, ...]:
        return tuple(saved for saved in self.saved[run] if kind in (None, saved.kind))

    def queue_position(self, run: str) -> int | None:
        return None

    def usage(self, owner: str, *, without: str = "") -> Usage:
        return Usage()

    def runs(self, *, owner: str | None = None, kind: str | None = None, limit: int = 100) -> tuple[RunRecord, ...]:
        newest = [one for one in reversed(self.records.values()) if kind in (None, one.kind)]
        return tuple(newest[:limit])

    def by_key(self, key: str) -> RunRecord | None:
        gone = ("failed", "stopped", "interrupted")
        return next((one for one in self.runs(limit=10**6) if one.key == key and one.state not in gone), None)


class InlineClient:
    """As core.jobs.client.Client. `n_submitted` counts; `commands` keeps what was ordered."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = InlineStore()
        self.shelf = MemoryShelf()
        self.commands: list[tuple[str, Command]] = []
        self.jobs: list[Job] = []
        self.finish = True

    def submit(self, job: Job, owner: str = "", name: str = "") -> str:
        self.jobs.append(job)
        run = secrets.token_hex(16)
        record = self.record(job, run, owner, name)
        self.store.records[run], self.store.logs[run], self.store.saved[run] = record, [], []
        commands = [] if self.finish else [(3, Stop())]
        for item in run_inline(job, self.settings, commands=commands, shelf=self.shelf, run=run):
            if not isinstance(item, Artifact):
                self._take(run, item)
        return run

    def submit_all(self, jobs: Sequence[Job]) -> list[str | LayerwiseError]:
        return [self.submit(job) for job in jobs]

    @staticmethod
    def record(job: Job, run: str, owner: str = "", name: str = "") -> RunRecord:
        """The row of a run of this job that has just begun."""
        return RunRecord(
            id=run, kind=job.kind, owner=owner, name=name, state="running", reason="", job=job.model_dump_json(), key=job.key(),
            attempt=1, generation=1, last_seq=0, last_step=0, created=0.0, started=0.0, finished=None,
        )  # fmt: skip

    def put(self, run: str, event: Event, **columns: object) -> None:
        """Something more happened in a run."""
        log = self.store.logs[run]
        log.append(LoggedEvent(len(log) + 1, event))
        self.store.records[run] = replace(self.store.records[run], last_seq=len(log), **columns)

    def command(self, run: str, command: Command) -> None:
        self.commands.append((run, command))

    def status(self) -> PoolStatus:
        return PoolStatus(True, True, 0, 0)

    def artifact_bytes(self, run: str, name: str) -> bytes:
        saved = next((saved for saved in self.store.saved[run] if saved.name == name), None)
        if saved is None:
            raise StoreError("There is no such artifact.")
        return self.shelf.read(run, name, saved.sha256)

    def _take(self, run: str, logged: LoggedEvent) -> None:
        event = logged.event
        self.store.logs[run].append(logged)
        self.store.records[run] = replace(self.store.records[run], last_seq=logged.seq)
        if isinstance(event, ArtifactSaved):
            self.store.saved[run].append(
                ArtifactRecord(run, event.name, event.kind, event.step, logged.seq, event.n_bytes, event.sha256)
            )
        state = {Finished: STATES.get(getattr(event, "reason", "")), Failed: "failed"}.get(type(event))
        if state:
            self.store.records[run] = replace(self.store.records[run], state=state, last_step=event.step)
