"""The columns of the table of runs, ready for st.dataframe and for a spreadsheet."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.run_row import Fact, RunRow
from core.run_table import facts_of, figures_of, is_number, text_of, value_of
from dashboard.text import _
from dashboard.widgets.runs_table_words import called, kind_label, label, optimizer_text, state_label

OWN = ("name", "state", "kind", "created", "tags", "note", "parent")
USUAL = (
    *("name", "state", "created", "tags", "data", "model", "optimizer", "lr", "batch_size"),
    *("best_validation_loss", "best_validation_accuracy", "test_accuracy", "epochs", "seconds", "n_parameters"),
)
"""Columns that are shown at first, those that there are."""
WHOLE = ("steps", "epochs", "examples", "n_parameters", "multiply_adds", "seed", "layers", "batch_size", "budget.epochs")
"""Numbers without digits behind the point."""


def fields_of(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """All columns that there can be, in order: what people say, settings, figures."""
    return (*OWN, *facts_of(rows), *figures_of(rows))


def usual_fields(fields: Sequence[str], rows: Sequence[RunRow]) -> tuple[str, ...]:
    """The columns to begin with; kind and parent too where they tell rows apart."""
    wanted = [*USUAL]
    if len({row.kind for row in rows}) > 1:
        wanted[2:2] = ["kind", "compression"]
    return tuple(field for field in wanted if field in fields)


def table(rows: Sequence[RunRow], fields: Sequence[str], zone: str | None = None) -> dict[str, list[Any]]:
    """Columns by field."""
    titles = {row.id: called(row) for row in rows} if "parent" in fields else {}
    clock = clock_of(zone)
    return {field: _column(rows, field, titles, clock) for field in fields}


def shown_columns(rows: Sequence[RunRow], fields: Sequence[str]) -> dict[str, Any]:
    """How each column is shown."""
    found: dict[str, Any] = {}
    for field in fields:
        name = label(field)
        if field == "created":
            found[field] = st.column_config.DatetimeColumn(name, format="D MMM YYYY, HH:mm")
        elif field == "tags":
            found[field] = st.column_config.ListColumn(name, width="medium" if any(row.tags for row in rows) else None)
        elif field not in OWN and is_number(rows, field):
            found[field] = st.column_config.NumberColumn(name, format="%.4g" if field not in WHOLE else "localized")
        else:
            found[field] = st.column_config.TextColumn(name, width="medium" if field in ("name", "model") else None)
    return found


def clock_of(zone: str | None) -> Any:
    """The visitor's time zone, or UTC where the browser's is not known here."""
    try:
        return ZoneInfo(zone) if zone else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _column(rows: Sequence[RunRow], field: str, titles: dict[str, str], clock: Any) -> list[Any]:
    words: dict[str, Any] = {
        "name": called,
        "state": lambda row: state_label(row.state),
        "kind": lambda row: kind_label(row.kind),
    }
    words |= {"note": lambda row: row.note, "tags": lambda row: list(row.tags), "optimizer": optimizer_text}
    if field in words:
        return [words[field](row) for row in rows]
    if field == "created":
        return [datetime.fromtimestamp(row.created, clock).replace(tzinfo=None) for row in rows]
    if field == "parent":
        return [titles.get(row.parent, _("run {id}").format(id=row.parent[:6])) if row.parent else "" for row in rows]
    values = [value_of(row, field) for row in rows]
    return values if all(isinstance(value, float | int | None) for value in values) else _texts(values)


def _texts(values: Sequence[Fact | None]) -> list[str | None]:
    """A column of texts and numbers is one of texts."""
    return [None if value is None else text_of(value) for value in values]


def csv_columns(rows: Sequence[RunRow], fields: Sequence[str]) -> dict[str, list[Any]]:
    """All columns for a spreadsheet, times in UTC, with the ids in front."""
    columns: dict[str, list[Any]] = {"id": [row.id for row in rows]}
    for field in fields:
        values = table(rows, (field,))[field]
        if field == "created":
            values = [moment.isoformat(timespec="seconds") + "Z" for moment in values]
        elif field == "tags":
            values = [", ".join(tags) for tags in values]
        columns[field] = ["" if value is None else value for value in values]
    return columns
