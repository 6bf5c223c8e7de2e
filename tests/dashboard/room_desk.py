"""A real store with the supervisor's own rooms: what presenters and followers do is tested without a pool."""

from copy import copy
from pathlib import Path
from typing import Any

from core.experiment.experiment import Experiment
from core.jobs.job import Job
from core.jobs.pool.rooms import Rooms
from core.jobs.room_client import RoomClient
from core.jobs.training import TrainJob
from core.store.protocol import ArtifactRecord, RunRecord
from core.store.sql import SqlReader, SqlWriter


class RoomDesk(RoomClient):
    """As core.jobs.client.Client, for what rooms ask."""

    def __init__(self, home: Path) -> None:
        self.writer = SqlWriter(home / "runs.db")
        self.store = SqlReader(home / "runs.db")
        self._rooms = Rooms(self.writer)
        self._by: dict[str, Any] = {}
        self.asked: list[str] = []

    def of(self, owner: str, *, is_host: bool = False, room: str = "") -> "RoomDesk":
        bound = copy(self)
        bound._by = {"by": owner, "in_room": room}
        return bound

    def submit(self, job: Job, owner: str = "", name: str = "") -> str:
        """A training run that has ended at once, with one checkpoint."""
        run = f"{len(self.store.runs()) + 1:032x}"
        record = RunRecord(
            id=run, kind=job.kind, owner=str(self._by.get("by", "")), name=name, state="finished", reason="",
            job=job.model_dump_json(), key=run, attempt=1, generation=0, last_seq=0, last_step=5, created=1.0,
            started=None, finished=None,
        )  # fmt: skip
        self.writer.begin()
        self.writer.create(record)
        for seq, step in enumerate((5, 20), start=1):
            self.writer.add_artifact(ArtifactRecord(run, f"step-{step}", "checkpoint", step, seq, 1, f"{seq}" * 64))
        self._rooms.note_run(self._by, run)
        self.writer.commit()
        return run

    def put(self, experiment: Experiment) -> str:
        return self.submit(TrainJob(experiment=experiment))

    def close(self) -> None:
        self.store.close()
        self.writer.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request["ask"])
        self.writer.begin()
        try:
            return self._rooms.asks[request["ask"]](request | self._by)
        finally:
            self.writer.commit()
