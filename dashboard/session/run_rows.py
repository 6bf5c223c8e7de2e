"""The rows of the table of runs as this visitor sees them: what is shown, and which are chosen. All panels share one filter."""

from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from core.run_row import RunRow
from core.run_table import RunFilter
from dashboard.session import resources
from dashboard.session.chosen_runs import chosen
from dashboard.session.visitor import sees_all, visitor

FILTER = "runs.filter"
DELETED = "runs.just_deleted"


def run_filter() -> RunFilter:
    """What is shown at present."""
    return RunFilter(**st.session_state.get(FILTER, {}))


def set_filter(**changes: Any) -> None:
    """Show others."""
    st.session_state[FILTER] = asdict(replace(run_filter(), **changes))


def rows() -> tuple[RunRow, ...]:
    """All kept runs of this visitor, or of everybody, that are not deleted, newest first."""
    return resources.reader().rows(owner=_whose())


def rows_and_bin() -> tuple[tuple[RunRow, ...], tuple[RunRow, ...]]:
    """The same, and those that were deleted and can be brought back, the last one first."""
    found = resources.reader().rows(owner=_whose(), with_deleted=True)
    gone = sorted((row for row in found if row.deleted), key=lambda row: -(row.deleted or 0.0))
    return tuple(row for row in found if row.deleted is None), tuple(gone)


def _whose() -> str | None:
    """The space whose runs are shown; None for all, which a host may ask for."""
    return None if sees_all() else visitor().owner


def shown(rows: tuple[RunRow, ...]) -> tuple[RunRow, ...]:
    """Those that the filter lets through."""
    wanted = run_filter()
    return tuple(row for row in rows if wanted(row))


def chosen_rows(rows: tuple[RunRow, ...]) -> tuple[RunRow, ...]:
    """Those that are chosen, in the order of the table."""
    ids = set(chosen())
    return tuple(row for row in rows if row.id in ids)


def just_deleted() -> tuple[str, ...]:
    """What the last delete put into the bin, to be undone."""
    return tuple(st.session_state.get(DELETED, ()))


def set_just_deleted(runs: tuple[str, ...]) -> None:
    """Remember what can be undone; nothing, once it was or something else was done."""
    st.session_state[DELETED] = runs
