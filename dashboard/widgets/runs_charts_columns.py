"""Fields of runs as axes of a chart."""

from collections.abc import Sequence

from core.run_row import RunRow
from core.run_table import complete, is_number, text_of, value_of
from dashboard.figures.parallel_coordinates import Column
from dashboard.text import _
from dashboard.widgets.runs_table_words import kind_label, label, state_label


def column_of(rows: Sequence[RunRow], field: str) -> Column:
    """One axis over rows that all have this field."""
    words = {"state": state_label, "kind": kind_label}.get(field, str)
    values = [value_of(row, field) for row in rows]
    if is_number(rows, field):
        return Column(label(field), tuple(float(value) for value in values if isinstance(value, float | int)))
    return Column(label(field), tuple(words(text_of(value)) for value in values))


def without(rows: Sequence[RunRow], fields: Sequence[str]) -> tuple[tuple[RunRow, ...], str]:
    """The rows that have all of these fields, and a sentence about those that are left out; empty where none is."""
    whole = complete(rows, fields)
    n = len(rows) - len(whole)
    if not n:
        return whole, ""
    missing = dict.fromkeys(label(field) for field in fields if any(value_of(row, field) is None for row in rows))
    return whole, _("{n:,} of {total:,} runs are left out, since of these values they lack some: {fields}.").format(
        n=n, total=len(rows), fields=", ".join(missing)
    )
