"""A client over a real store with the supervisor's own rooms for kept runs: the Runs screen is tested without a pool."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.events import Event
from core.experiment.experiment import Experiment
from core.jobs.job import Deleted, Job
from core.jobs.pool.library import Library
from core.jobs.pool.summaries import Summaries
from core.jobs.training import TrainJob
from core.settings import Settings
from core.store.protocol import LoggedEvent, RunRecord
from core.store.sql import SqlReader, SqlWriter


class StoreClient:
    """As core.jobs.client.Client, for what the table of runs asks."""

    def __init__(self, home: Path) -> None:
        self._writer = SqlWriter(home / "runs.db")
        self.store = SqlReader(home / "runs.db")
        self._library = Library(self._writer, Settings(home=home))
        self._summaries = Summaries(self._writer)
        self._n = 0

    def put(self, experiment: Experiment, events: Sequence[Event] = (), *, job: Job | None = None, **columns: Any) -> str:
        """A run with what it has said; the newest of all."""
        self._n += 1
        run, job = f"{self._n:032x}", job or TrainJob(experiment=experiment)
        values: dict[str, Any] = {
            "id": run, "kind": job.kind, "owner": "", "name": "", "state": "finished", "reason": "",
            "job": job.model_dump_json(), "key": run, "attempt": 1, "generation": 0, "last_seq": len(events),
            "last_step": 0, "created": 1.75e9 + self._n, "started": None, "finished": None,
        }  # fmt: skip
        line = self._summaries.line(run, job)
        self._writer.begin()
        self._writer.create(RunRecord(**(values | columns)))
        self._writer.append(run, [LoggedEvent(seq, event) for seq, event in enumerate(events, start=1)])
        for event in events:
            line.append(event)
        line.is_urgent = True
        self._summaries.keep(line)
        self._writer.commit()
        return run

    def put_plain(self, run: str, **columns: Any) -> None:
        """A run of which only its row is known."""
        values: dict[str, Any] = {
            "id": run, "kind": "dream", "owner": "", "name": "", "state": "finished", "reason": "", "job": "{}", "key": run,
            "attempt": 1, "generation": 0, "last_seq": 0, "last_step": 0, "created": time.time(),
            "started": None, "finished": None,
        }  # fmt: skip
        self._writer.begin()
        self._writer.create(RunRecord(**(values | columns)))
        self._writer.commit()

    def set(self, run: str, **columns: Any) -> None:
        self._writer.begin()
        self._writer.update(run, **columns)
        self._writer.commit()

    def annotate(self, run: str, **said: Any) -> None:
        self._ask("annotate", runs=[run], **{name: value for name, value in said.items() if value is not None})

    def tag(self, runs: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        self._ask("tag", runs=list(runs), add=list(add), remove=list(remove))

    def delete(self, runs: Sequence[str]) -> Deleted:
        answer = self._ask("delete", runs=list(runs))
        return Deleted(tuple(answer["deleted"]), tuple(answer["unfinished"]))

    def restore(self, runs: Sequence[str]) -> None:
        self._ask("restore", runs=list(runs))

    def empty_bin(self) -> Deleted:
        answer = self._ask("empty_bin")
        self._writer.begin()
        self._library.swept()
        self._writer.commit()
        return Deleted(tuple(answer["swept"]), tuple(answer["needed"]))

    def close(self) -> None:
        with suppress(Exception):
            self.store.close()
        self._writer.close()

    def _ask(self, ask: str, **fields: Any) -> dict[str, Any]:
        self._writer.begin()
        try:
            return self._library.asks[ask]({"ask": ask} | fields)
        finally:
            self._writer.commit()
