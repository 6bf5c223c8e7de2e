"""What may be wrong with a visitor's table or images: what it is, and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.data.own.reading.columns import Column, Table
from core.data.own.reading.csv_text import GUESSED, Dialect
from core.data.own.reading.names import clean_name, listed
from core.data.own.table import MANY_CATEGORIES
from core.results.upload_preview import ColumnKind, UploadPreview
from core.types import Severity


class Problem(NamedTuple):
    """One finding."""

    severity: Severity
    message: str
    hint: str


def text_problems(dialect: Dialect, table: Table) -> Iterator[Problem]:
    """About the way in which a CSV file is written."""
    if dialect.encoding in GUESSED:
        yield Problem(
            "warning",
            f"This file is not UTF-8. It was read as {GUESSED[dialect.encoding]}.",
            "Look at the letters below; if some are wrong, save the file again as CSV (UTF-8).",
        )
    if not dialect.has_header:
        yield Problem(
            "info",
            "The first line does not look like names of columns, so it counts as an example.",
            "If it does name them, change names that are numbers or that occur again below.",
        )
    elif dialect.n_renamed:
        yield Problem(
            "info",
            f"{dialect.n_renamed:,} columns got another name here: theirs was empty, twice there, too long or not visible.",
            "Look at the names below, and change them in the file where they are not clear.",
        )
    uneven = table.n_short + table.n_long
    if uneven:
        yield Problem(
            "error" if 2 * uneven > table.n_rows else "warning",
            f"{table.n_short:,} of {table.n_rows:,} rows have fewer cells than the first line, {table.n_long:,} have more.",
            "Cells that are not there count as missing, those beyond the last column are ignored. A separator within a text "
            "needs quotation marks around the text.",
        )


def column_problems(table: Table, kinds: Sequence[ColumnKind]) -> Iterator[Problem]:
    """About missing, infinite, strange and constant values."""
    gaps = [(column.name, table.n_rows - column.n_known) for column in table.columns if column.n_known < table.n_rows]
    if gaps:
        worst = sorted(gaps, key=lambda gap: -gap[1])
        shown = ", ".join(f'"{name}" ({n:,})' for name, n in worst[:5])
        yield Problem(
            "warning",
            f"{sum(n for _, n in gaps):,} values are missing in {len(gaps):,} of {len(table.columns):,} columns: {shown}.",
            "A row without its target is left out. Other gaps are filled in, as Preparation says (by the mean, if nothing "
            "else is chosen); leave out columns that are mostly empty.",
        )
    infinite = [column for column in table.columns if column.n_infinite]
    if infinite:
        n = sum(column.n_infinite for column in infinite)
        yield Problem(
            "warning",
            f"{n:,} numbers are infinite or too large (above 3.4e38), in {listed([column.name for column in infinite])}.",
            "They count as missing. Look where they come from: mostly a division by zero.",
        )
    for column, kind in zip(table.columns, kinds, strict=True):
        if kind == "number" and column.n_words[0]:
            yield Problem(
                "warning",
                f'"{column.name}" has {column.n_words[0]:,} values that are no numbers: '
                f"{listed([clean_name(text) for text in column.strange], 3)}.",
                "They count as missing. Change them in the file, or leave this column out.",
            )
    yield from _left_out(table.columns, kinds)


def with_problems(preview: UploadPreview, found: Sequence[Problem]) -> UploadPreview:
    """The preview with what was found."""
    return replace(
        preview,
        severities=tuple(problem.severity for problem in found),
        messages=tuple(problem.message for problem in found),
        hints=tuple(problem.hint for problem in found),
    )


def _left_out(columns: Sequence[Column], kinds: Sequence[ColumnKind]) -> Iterator[Problem]:
    """About columns that are no inputs."""
    by_kind = {kind: [column for column, each in zip(columns, kinds, strict=True) if each == kind] for kind in set(kinds)}
    if constant := by_kind.get("constant"):
        yield Problem(
            "warning",
            f"{_columns(constant)} the same in every row.",
            "Nothing can be learned from a constant, so it is left out. It cannot be predicted either: that takes two classes.",
        )
    if names := by_kind.get("id"):
        yield Problem(
            "info",
            f"{_columns(names)} different in almost every row, like a number or a name of the row.",
            "It is left out: a model would learn the rows by heart. Numbers that mean something, as years do, can be chosen.",
        )
    many = [column for column in by_kind.get("category", ()) if len(column.classes()) > MANY_CATEGORIES]
    if many:
        yield Problem(
            "info",
            f"{listed([column.name for column in many])}: more than {MANY_CATEGORIES} categories.",
            "It is left out unless you choose it: each category becomes an input of its own.",
        )


def _columns(columns: Sequence[Column]) -> str:
    return f"{listed([column.name for column in columns])} {'is' if len(columns) == 1 else 'are'}"


def class_problems(names: Sequence[str], counts: Sequence[int], target: str = "") -> Iterator[Problem]:
    """About classes of one example, and names that are hard to tell apart."""
    of = f' of "{target}"' if target else ""
    rare = [name for name, count in zip(names, counts, strict=True) if count == 1]
    if rare:
        yield Problem(
            "warning",
            f"{len(rare):,} of {len(names):,} classes{of} have one example only: {listed(rare)}.",
            "What is seen once cannot be learned and tested: add examples, or leave these classes out.",
        )
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.casefold(), []).append(name)
    alike = [" and ".join(f'"{name}"' for name in group) for group in folded.values() if len(group) > 1]
    if alike:
        yield Problem(
            "warning",
            f"Classes{of} that differ in capitals only: {', '.join(alike[:5])}.",
            "Write them alike if they are one class.",
        )


def duplicate_problems(n: int, n_distinct: int, what: str, hint: str) -> Iterator[Problem]:
    """About examples that are there twice."""
    if n > n_distinct:
        yield Problem(
            "warning",
            f"{n - n_distinct:,} of {n:,} {what} equal an earlier one.",
            f"A test with examples that were learned says nothing. {hint}",
        )
