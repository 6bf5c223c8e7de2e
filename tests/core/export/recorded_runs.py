"""Runs that were trained in this process and lie in a real store, without a pool."""

from contextlib import closing

from core.events import Artifact, ArtifactSaved
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.job import Job
from core.settings import Settings
from core.store.protocol import ArtifactRecord, RunRecord
from core.store.sql import SqlWriter


def record_run(job: Job, settings: Settings, shelf: MemoryShelf, run: str, name: str = "", commands: tuple = ()) -> list:
    """Do the job, put its row, log and artifact rows into the store; the logged events."""
    items = list(run_inline(job, settings, shelf=shelf, run=run, commands=commands))
    logged = [item for item in items if not isinstance(item, Artifact)]
    saved = [(one.seq, one.event) for one in logged if isinstance(one.event, ArtifactSaved)]
    settings.home.mkdir(parents=True, exist_ok=True)
    with closing(SqlWriter(settings.home / "runs.db")) as store:
        store.begin()
        store.create(
            RunRecord(
                id=run,
                kind=job.kind,
                owner="",
                name=name,
                state="finished",
                reason="",
                job=job.model_dump_json(),
                key=job.key(),
                attempt=1,
                generation=1,
                last_seq=logged[-1].seq,
                last_step=logged[-1].event.step,
                created=1_000.0,
                started=1_000.0,
                finished=1_100.0,
            )
        )
        store.append(run, logged)
        for seq, one in saved:
            store.add_artifact(ArtifactRecord(run, one.name, one.kind, one.step, seq, one.n_bytes, one.sha256))
        store.commit()
    return logged
