"""The table of runs in a SQL store: what people say of runs, their summaries, and their thinned curves."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Executable, Select, and_, bindparam, delete, insert, select, update

from core.run_curve import RunCurve, packed_curve, unpacked_curve
from core.run_row import RunRow
from core.store.protocol import LoggedEvent, Summary
from core.store.schema import CURVES, EVENTS, RUNS, SAID, SUMMARIES

SUMMARY_VERSION = 1
"""Rises when facts or figures change their meaning: older summaries are then made again."""
KEPT = 1
"""The queue of runs that are kept."""
AT_ONCE = 500
"""Ids in one question: databases bound their number."""

_OWN = tuple(RUNS.c[name] for name in ("id", "kind", "name", "state", "created", "started", "finished", "reason", "owner"))
_NEWEST = (RUNS.c.created.desc(), RUNS.c.id)


def _lines(is_kept: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            *_OWN,
            *(SAID.c[name].label(f"said_{name}") for name in ("name", "tags", "note", "deleted")),
            *(SUMMARIES.c[name] for name in ("parent", "parent_step", "facts", "figures")),
        )
        .select_from(RUNS.outerjoin(SAID, SAID.c.run == RUNS.c.id).outerjoin(SUMMARIES, SUMMARIES.c.run == RUNS.c.id))
        .where(is_kept)
        .order_by(*_NEWEST)
        .limit(bindparam("limit"))
    )


ALL_ROWS = _lines(RUNS.c.priority == KEPT)
# "+ 0" keeps the database from looking for the queue, in which nearly all runs are, instead of for the owner
ALL_OWN_ROWS = _lines(RUNS.c.priority + 0 == KEPT).where(RUNS.c.owner.in_((bindparam("owner"), "")))
ROWS, OWN_ROWS = (statement.where(SAID.c.deleted.is_(None)) for statement in (ALL_ROWS, ALL_OWN_ROWS))
ROWS_OF = ROWS.where(RUNS.c.id.in_(bindparam("runs", expanding=True)))
CURVES_OF = select(CURVES.c.run, CURVES.c.data).where(CURVES.c.run.in_(bindparam("runs", expanding=True)))
TAGS_OF = select(SAID.c.run, SAID.c.tags).where(SAID.c.run.in_(bindparam("runs", expanding=True)), SAID.c.tags.is_not(None))
UNSUMMARISED = (
    select(RUNS.c.id)
    .select_from(RUNS.outerjoin(SUMMARIES, and_(SUMMARIES.c.run == RUNS.c.id, SUMMARIES.c.version == SUMMARY_VERSION)))
    .where(RUNS.c.priority == KEPT, SUMMARIES.c.run.is_(None))
    .order_by(*_NEWEST)
    .limit(bindparam("limit"))
)
TO_SWEEP = select(SAID.c.run).where(SAID.c.deleted <= bindparam("before")).order_by(SAID.c.deleted).limit(bindparam("limit"))
LOG = (
    select(EVENTS.c.seq, EVENTS.c.name, EVENTS.c.data)
    .where(
        EVENTS.c.run == bindparam("run"),
        EVENTS.c.seq > bindparam("after"),
        EVENTS.c.name.in_(bindparam("names", expanding=True)),
    )
    .order_by(EVENTS.c.seq)
    .limit(bindparam("limit"))
)


class RowReads:
    """The part of a reader that the table of runs needs."""

    def rows(self, *, owner: str | None = None, with_deleted: bool = False, limit: int = 10_000) -> tuple[RunRow, ...]:
        if owner is None:
            found = self._rows(ALL_ROWS if with_deleted else ROWS, limit=limit)
        else:
            found = self._rows(ALL_OWN_ROWS if with_deleted else OWN_ROWS, owner=owner, limit=limit)
        return tuple(_row(row) for row in found)

    def rows_of(self, runs: Collection[str]) -> dict[str, RunRow]:
        asked = list(dict.fromkeys(runs))[:AT_ONCE]
        if not asked:
            return {}
        return {row.id: _row(row) for row in self._rows(ROWS_OF, runs=asked, limit=AT_ONCE)}

    def curves(self, runs: Collection[str]) -> dict[str, RunCurve]:
        asked = list(dict.fromkeys(runs))
        parts = (asked[at : at + AT_ONCE] for at in range(0, len(asked), AT_ONCE))
        found = {run: data for part in parts for run, data in self._rows(CURVES_OF, runs=part)}
        return {run: unpacked_curve(found[run]) for run in asked if run in found}

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        raise TypeError("a store asks its database here")


class RowWrites(RowReads):
    """The part of the writer that the table of runs needs."""

    def summarise(self, run: str, summary: Summary, curve: RunCurve | None) -> None:
        self.forget_summary(run)
        values = {
            "run": run,
            "version": SUMMARY_VERSION,
            "parent": summary.parent,
            "parent_step": summary.parent_step,
            "facts": json.dumps(dict(summary.facts), ensure_ascii=False, allow_nan=False),
            "figures": json.dumps(dict(summary.figures), allow_nan=False),
        }
        self._write(insert(SUMMARIES), values)
        if curve is not None:
            self._write(insert(CURVES), {"run": run, "data": packed_curve(curve)})

    def forget_summary(self, run: str) -> None:
        """Its log has changed: the summary is to be made again."""
        self._write(delete(SUMMARIES).where(SUMMARIES.c.run == run))
        self._write(delete(CURVES).where(CURVES.c.run == run))

    def tags(self, runs: Collection[str]) -> dict[str, tuple[str, ...]]:
        asked = list(runs)
        parts = (asked[at : at + AT_ONCE] for at in range(0, len(asked), AT_ONCE))
        return {row.run: tuple(_texts(row.tags)) for part in parts for row in self._rows(TAGS_OF, runs=part)}

    def unsummarised(self, limit: int) -> tuple[str, ...]:
        return tuple(row.id for row in self._rows(UNSUMMARISED, limit=limit))

    def say(self, run: str, **columns: object) -> None:
        if self._rows(select(SAID.c.run).where(SAID.c.run == run)):
            self._write(update(SAID).where(SAID.c.run == run).values(**columns))
        else:
            self._write(insert(SAID), {"run": run} | columns)

    def to_sweep(self, deleted_before: float, limit: int) -> tuple[str, ...]:
        return tuple(row.run for row in self._rows(TO_SWEEP, before=deleted_before, limit=limit))

    def log(self, run: str, names: Collection[str], after: int, limit: int) -> tuple[LoggedEvent, ...]:
        return self._events(run, self._rows(LOG, run=run, names=list(names), after=after, limit=limit))

    def _write(self, statement: Executable, values: Any = None) -> None:
        raise TypeError("a store asks its database here")

    def _events(self, run: str, rows: Iterable[Any]) -> tuple[LoggedEvent, ...]:
        raise TypeError("a store asks its database here")


def _row(row: Any) -> RunRow:
    """A line of ROWS. With 10,000 of them every access by name counts, and a fast reader of JSON."""
    run, kind, name, state, created, started, finished, reason, owner, *said_and_summary = row
    said_name, tags, note, deleted, parent, parent_step, facts, figures = said_and_summary
    return RunRow(
        run,
        kind,
        name if said_name is None else said_name,
        state,
        created,
        started,
        finished,
        reason,
        tuple(_texts(tags)),
        note or "",
        parent or "",
        parent_step or 0,
        from_json(facts) if facts else {},
        from_json(figures) if figures else {},
        deleted,
        owner,
    )


def _texts(tags: str | None) -> Iterator[str]:
    return iter(json.loads(tags)) if tags else iter(())
