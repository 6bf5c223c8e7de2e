"""What a visitor's table holds, from CSV text or from arrays."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain

import numpy as np

from core.data.own.image_preview import npz_images_preview
from core.data.own.problems import Problem, class_problems, column_problems, duplicate_problems, text_problems, with_problems
from core.data.own.reading import arrays
from core.data.own.reading.columns import Column, Table, looked_through
from core.data.own.reading.csv_text import SEPARATORS, Dialect, dialect_of, rows_of
from core.data.own.reading.names import clean_name, visible
from core.data.own.table import FEW_NUMBERS
from core.results.upload_preview import ColumnKind, UploadPreview
from core.settings import Settings
from core.types import Task

TARGETS = {
    "target",
    "label",
    "labels",
    "class",
    "y",
    "category",
    "outcome",
    "species",
    "sentiment",
    "diagnosis",
    "type",
    "quality",
}
N_ROWS = 20
LONGEST_CELL = 200


def csv_preview(data: bytes, file: str, name: str, settings: Settings) -> UploadPreview:
    """The preview of a CSV file; errors as in `preview`."""
    dialect = dialect_of(data, name, settings)
    columns = [Column(column, dialect.decimal) for column in dialect.names]
    table = looked_through(rows_of(data, dialect, name), columns, settings, N_ROWS)
    return _table_preview(table, ("csv", file, name), _written(dialect), list(text_problems(dialect, table)))


def arrays_preview(data: bytes, file: str, name: str, settings: Settings) -> UploadPreview:
    """The preview of an NPZ file: a table, or images; errors as in `preview`."""
    roles = arrays.roles_of(arrays.headers(data, name, settings), name, settings)
    joined = [_joined(roles.pairs)] if len(roles.pairs) > 1 else []
    if not roles.is_table:
        return npz_images_preview(data, file, name, settings, joined)
    x, y = arrays.examples(data, roles, name, settings)
    given = arrays.given_class_names(data, roles, name, settings)
    names = (*arrays.column_names(data, roles, name, settings), "y")
    digests = [blake2b(row.tobytes() + own.tobytes(), digest_size=16).digest() for row, own in zip(x, y, strict=True)]
    first = np.zeros(len(x), bool)
    first[list({digest: place for place, digest in reversed(list(enumerate(digests)))}.values())] = True
    table = Table([], len(x), int(first.sum()))
    for place, column_name in enumerate(names):
        column = Column(column_name)
        if place < x.shape[1]:
            column.add(_counts(x[:, place]), _counts(x[first, place]))
        else:
            texts = np.array(arrays.class_texts(y, given))
            column.add(Counter(texts.tolist()), Counter(texts[first].tolist()))
        table.columns.append(column)
    table.first_rows = [
        [*(f"{value:g}" for value in row), text]
        for row, text in zip(x[:N_ROWS].astype(np.float64).tolist(), arrays.class_texts(y[:N_ROWS], given), strict=True)
    ]
    written = f"NumPy arrays {', '.join(clean_name(part) for part in chain(*roles.pairs))}, {x.dtype} and {y.dtype}"
    return _table_preview(table, ("npz", file, name), written, joined)


def _joined(pairs: Sequence[tuple[str, str]]) -> Problem:
    return Problem(
        "info",
        f"{' and '.join(clean_name(x) for x, _ in pairs)} are joined.",
        "They are split anew into train, validation and test, by the shares that you choose.",
    )


def _counts(values: np.ndarray) -> dict[str, int]:
    """How often each number occurs, with the number as text."""
    found, counts = np.unique(values.astype(np.float64), return_counts=True)
    return {f"{value:.12g}": int(n) for value, n in zip(found, counts, strict=True)}


def _written(dialect: Dialect) -> str:
    header = "with names in the first line" if dialect.has_header else "without names of columns"
    decimal = "decimal comma" if dialect.decimal == "," else "decimal point"
    return f"{dialect.encoding}, {SEPARATORS[dialect.separator]} between cells, {decimal}, {header}"


def _table_preview(table: Table, source: tuple[str, str, str], written: str, found: list[Problem]) -> UploadPreview:
    columns = table.columns
    kinds = [column.kind for column in columns]
    classes = [column.classes() for column in columns]
    target, task = _suggested(columns, kinds)
    texts = [column.name for column, kind in zip(columns, kinds, strict=True) if kind == "text"]
    found += column_problems(table, kinds)
    if target and task == "classification":
        counted = classes[[column.name for column in columns].index(target)]
        found += class_problems(list(counted), [counts[0] for counts in counted.values()], target)
    found += duplicate_problems(table.n_rows, table.n_distinct, "rows", "Leave out rows that repeat an earlier one.")
    if not target:
        found.append(
            Problem(
                "error",
                "There is no column that could be predicted: none has classes or numbers that differ.",
                "Add a column with the class, or the number, of each row.",
            )
        )
    kind, file, name = source
    preview = UploadPreview(
        kind="table",
        source="csv" if kind == "csv" else "npz",
        file=file,
        name=name,
        n_examples=table.n_rows,
        n_distinct=table.n_distinct,
        columns=tuple(column.name for column in columns),
        column_kinds=tuple(kinds),
        n_missing=np.array([table.n_rows - column.n_known for column in columns], np.int64),
        n_unique=np.array([len(column.seen) for column in columns], np.int64),
        n_numbers=np.array([column.n_numbers for column in columns], np.int64).T.reshape(2, -1),
        categories=tuple(tuple(names) for names in classes),
        category_counts=tuple(np.array(list(names.values()), np.int64).reshape(-1, 2).T for names in classes),
        rows=tuple(tuple(_cell(cell) for cell in row[: len(columns)]) for row in table.first_rows),
        written=written,
        suggested_target=target,
        suggested_task=task,
        suggested_text=texts[0] if texts and texts[0] != target else "",
    )
    return with_problems(preview, found)


def _cell(text: str) -> str:
    """A cell as the preview shows it: cut, and on one line."""
    return visible(text[:LONGEST_CELL]) + ("…" if len(text) > LONGEST_CELL else "")


def _suggested(columns: Sequence[Column], kinds: Sequence[ColumnKind]) -> tuple[str, Task]:
    """What is likely to be predicted: a column that is called so, else the last with classes, else the last number."""
    tasks: dict[str, Task] = {}
    for column, kind in zip(columns, kinds, strict=True):
        if kind == "category" and len(column.classes()) > 1:
            tasks[column.name] = "classification"
        elif kind == "number":
            is_class = column.is_whole and len(column.seen) <= FEW_NUMBERS and len(column.classes()) > 1
            tasks[column.name] = "classification" if is_class else "regression"
    called = [name for name in tasks if name.lower() in TARGETS]
    last = next(iter(reversed(tasks)), "")
    by_class = [name for name, task in tasks.items() if task == "classification"]
    is_last_few = bool(last) and tasks[last] == "classification"
    target = called[-1] if called else last if is_last_few or not by_class else _by_class(by_class, columns, last)
    return target, tasks.get(target, "classification")


def _by_class(names: Sequence[str], columns: Sequence[Column], last: str) -> str:
    """The last column of few categories, where it stands at an end of the table; else its last number."""
    ends = (columns[0].name, columns[-1].name)
    return next((name for name in reversed(names) if name in ends), last)
