"""What the store asks its database. Built once: SQLAlchemy then finds each compiled form in its cache."""

from dataclasses import fields
from functools import cache

from sqlalchemy import Update, bindparam, delete, func, insert, select, tuple_, update

from core.store.protocol import ArtifactRecord, RunRecord
from core.store.schema import ARTIFACTS, CURVES, EVENTS, META, RUNS, SAID, SUMMARIES
from core.types import UNFINISHED

ENDED_BADLY = ("failed", "stopped", "interrupted")

RUN_COLUMNS = tuple(RUNS.c[field.name] for field in fields(RunRecord))
ARTIFACT_COLUMNS = tuple(ARTIFACTS.c[field.name] for field in fields(ArtifactRecord))

RUN = select(*RUN_COLUMNS).where(RUNS.c.id == bindparam("run"))
BY_KEY = (
    select(*RUN_COLUMNS)
    .where(RUNS.c.key == bindparam("key"), RUNS.c.state.not_in(ENDED_BADLY))
    .order_by(RUNS.c.created.desc())
    .limit(1)
)
WAITS_IN = select(RUNS.c.priority).where(RUNS.c.id == bindparam("run"), RUNS.c.state == "queued")
WAITING = (
    select(RUNS.c.id, RUNS.c.owner)
    .where(RUNS.c.state == "queued", RUNS.c.priority == bindparam("priority"))
    .order_by(RUNS.c.created, RUNS.c.id)
)
STARTS = (
    select(RUNS.c.owner, func.count())
    .where(RUNS.c.priority == bindparam("priority"), RUNS.c.started > bindparam("cutoff"))
    .group_by(RUNS.c.owner)
)
LATEST = (
    select(RUNS.c.owner, func.max(RUNS.c.started))
    .where(RUNS.c.priority == bindparam("priority"), RUNS.c.started > bindparam("cutoff"))
    .group_by(RUNS.c.owner)
)
OLD = (
    select(RUNS.c.id)
    .where(RUNS.c.priority == bindparam("priority"), RUNS.c.state.not_in(UNFINISHED))
    .order_by(RUNS.c.created.desc(), RUNS.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("keep"))
)
CARRY = select(RUNS.c.carry).where(RUNS.c.id == bindparam("run"))

EVENTS_AFTER = (
    select(EVENTS.c.seq, EVENTS.c.name, EVENTS.c.data)
    .where(EVENTS.c.run == bindparam("run"), EVENTS.c.seq > bindparam("after"))
    .order_by(EVENTS.c.seq)
    .limit(bindparam("limit"))
)
NAMED_EVENTS_AFTER = EVENTS_AFTER.where(EVENTS.c.name == bindparam("name"))
LAST_EVENT = (
    select(EVENTS.c.seq, EVENTS.c.name, EVENTS.c.data)
    .where(EVENTS.c.run == bindparam("run"), EVENTS.c.name == bindparam("name"))
    .order_by(EVENTS.c.seq.desc())
    .limit(1)
)
ARTIFACTS_OF = select(*ARTIFACT_COLUMNS).where(ARTIFACTS.c.run == bindparam("run")).order_by(ARTIFACTS.c.seq)
ARTIFACTS_AFTER = (
    select(*ARTIFACT_COLUMNS)
    .where(tuple_(ARTIFACTS.c.run, ARTIFACTS.c.name) > tuple_(bindparam("run"), bindparam("name")))
    .order_by(ARTIFACTS.c.run, ARTIFACTS.c.name)
    .limit(1000)
)
NEW_EVENTS = insert(EVENTS)
VERSION = select(META.c.value).where(META.c.key == "schema_version")

FORGET_RUNS = tuple(
    delete(table).where(column.in_(bindparam("runs", expanding=True)))
    for table, column in (
        (EVENTS, EVENTS.c.run),
        (ARTIFACTS, ARTIFACTS.c.run),
        (SAID, SAID.c.run),
        (SUMMARIES, SUMMARIES.c.run),
        (CURVES, CURVES.c.run),
        (RUNS, RUNS.c.id),
    )
)


@cache
def run_update(columns: tuple[str, ...]) -> Update:
    """Sets these columns of the run `of_run`. To build a statement anew takes longer than to execute it."""
    return update(RUNS).where(RUNS.c.id == bindparam("of_run")).values({name: bindparam(name) for name in columns})
