"""A visitor's table: columns of numbers and of categories, and one of them to predict."""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.data.dataset import DataProfile, Splits, unprepared
from core.data.own.own_file import OwnFile, check_values, checked_choice, chosen_classes
from core.data.own.reading import arrays
from core.data.own.reading.columns import class_name, row_digest
from core.data.own.reading.csv_text import LARGEST, dialect_of, number, rows_of
from core.data.own.reading.names import MAX_CLASSES, Name
from core.data.preparation import Preparation
from core.data.split import cut
from core.errors import SpecError, nearest
from core.results.upload_preview import UploadPreview
from core.settings import Settings
from core.spec import Spec
from core.types import Task

MANY_CATEGORIES = 64
"""A column with more is left out unless it is asked for: each category becomes an input."""
FEW_NUMBERS = 20
"""Numbers with no more different values are taken for classes, where they are whole."""
NAN = math.nan


class Column(Spec):
    """One column to predict from."""

    name: Name
    """As it is called in the file."""
    categories: Annotated[tuple[Name, ...], Field(max_length=MAX_CLASSES)] = ()
    """Its categories in the order of their numbers; empty for a column of numbers."""


class OwnTable(OwnFile):
    """A table of your own: one example in each row, one column to predict."""

    kind: Literal["own_table"] = "own_table"
    label: ClassVar[str] = "Own table"

    preparation: Preparation = Preparation(scaling="standardise")
    """What is done to the columns before the model sees them."""
    task: Task = "classification"
    """Whether a class or a number is predicted."""
    target: Name
    """The column to predict."""
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=2000)]
    """The columns to predict from."""
    drop_duplicates: bool = False
    """Leave out rows that equal an earlier one in every column."""

    @model_validator(mode="after")
    def _has_distinct_columns(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names) or self.target in names:
            raise PydanticCustomError("columns", "each column is used once, the target is none of them")
        return self

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        categories = tuple(column.categories for column in self.columns)
        return DataProfile(
            "tabular",
            (len(self.columns),),
            self.class_names,
            *self.sizes,
            feature_names=tuple(column.name for column in self.columns),
            task=self.task,
            target_name=self.target,
            categories=categories if any(categories) else (),
        )

    def original(self, seed: int) -> Splits:
        """The rows in their own units, missing values NaN, categories as their numbers.

        Raises:
            MissingData: the file is not on this server.
            SpecError: the file is not as described.
        """
        x, y = self.kept(("x", "y"), self._read)
        return unprepared(self.original_profile(), cut(x, y, self.sizes, seed))

    def _read(self, data: bytes, settings: Settings) -> tuple[np.ndarray, ...]:
        """All usable rows (N, F) float32 and answers (N,) int64 or float32."""
        check_values(self.n_examples, sum(max(1, len(column.categories)) for column in self.columns), settings)
        rows = _npz_rows(self, data, settings) if data.startswith(b"PK") else _csv_rows(self, data, settings)
        seen: set[bytes] = set()
        values, answers = array("f"), array("d")
        for digest, answer, row in rows:
            if self.drop_duplicates:
                if digest in seen:
                    continue
                seen.add(digest)
            if answer == answer:
                answers.append(answer)
                values.extend(row)
        y = np.asarray(answers).astype(np.int64 if self.task == "classification" else np.float32)
        self.check_examples(len(y), np.bincount(y, minlength=len(self.class_names)).tolist() if self.class_names else ())
        return np.asarray(values, np.float32).reshape(-1, len(self.columns)), y


Row = tuple[bytes, float, Sequence[float]]
"""Digest of the whole row, its answer (NaN where there is none that can be used), and the values to predict from."""


def _csv_rows(choice: OwnTable, data: bytes, settings: Settings) -> Iterator[Row]:
    dialect = dialect_of(data, choice.name, settings)
    wanted = [column.name for column in choice.columns]
    places = [_place(choice, dialect.names, name) for name in (choice.target, *wanted)]
    read_answer = _reader(choice.class_names, dialect.decimal)
    readers = [_reader(column.categories, dialect.decimal) for column in choice.columns]
    target, *inputs = places
    last = max(places)
    for cells in rows_of(data, dialect, choice.name):
        digest = row_digest(cells) if choice.drop_duplicates else b""
        if len(cells) <= last:
            cells += [""] * (last + 1 - len(cells))
        yield digest, read_answer(cells[target]), [read(cells[i]) for read, i in zip(readers, inputs, strict=True)]


def _place(choice: OwnTable, names: Sequence[str], name: str) -> int:
    if name not in names:
        raise choice.mismatch(f'it has no column "{name}". {nearest(name, names)}'.rstrip("."))
    return names.index(name)


def _reader(categories: Sequence[str], decimal: str) -> Callable[[str], float]:
    """What makes a number of a cell; NaN where it is missing, infinite or unknown."""
    if categories:
        places = {name: float(place) for place, name in enumerate(categories)}
        return lambda cell: places.get(class_name(cell, decimal), NAN)

    def value(cell: str) -> float:
        found = number(cell, decimal)
        return NAN if found is None or abs(found) > LARGEST else found

    return value


def _npz_rows(choice: OwnTable, data: bytes, settings: Settings) -> Iterator[Row]:
    roles = arrays.roles_of(arrays.headers(data, choice.name, settings), choice.name, settings)
    if not roles.is_table:
        raise choice.mismatch("it holds images")
    x, y = arrays.examples(data, roles, choice.name, settings)
    names = arrays.column_names(data, roles, choice.name, settings)
    inputs = [_place(choice, names, column.name) for column in choice.columns]
    if choice.class_names:
        places = {name: float(place) for place, name in enumerate(choice.class_names)}
        texts = arrays.class_texts(y, arrays.given_class_names(data, roles, choice.name, settings))
        answers = [places.get(text, NAN) for text in texts]
    else:
        answers = np.where(np.abs(y.astype(np.float64)) <= LARGEST, y, NAN).tolist()
    for row, answer, own in zip(x, answers, y, strict=True):
        values = row[inputs].astype(np.float64)
        values[~(np.abs(values) <= LARGEST)] = NAN
        yield blake2b(row.tobytes() + own.tobytes(), digest_size=16).digest(), answer, values.tolist()


def table_choice(
    preview: UploadPreview,
    target: str,
    task: Task,
    columns: Sequence[str] = (),
    *,
    drop_duplicates: bool = False,
    drop_rare: bool = False,
) -> OwnTable:
    """The data set of a previewed table.

    Args:
        columns: to predict from; empty for `default_columns`.
        drop_rare: leave out classes of one row.

    Raises:
        SpecError: it cannot be learned from so; the message says why, the hint what to choose.
    """
    class_names, n = target_classes(preview, target, task, drop_duplicates=drop_duplicates, drop_rare=drop_rare)
    usable = usable_columns(preview)
    chosen = tuple(columns) or default_columns(preview, target)
    for name in chosen:
        if name not in usable:
            kind = dict(zip(preview.columns, preview.column_kinds, strict=True)).get(name, "unknown")
            raise SpecError(f'"{name}" cannot be an input: its kind is {kind}.', hint=nearest(name, usable))
    if not chosen or target in chosen:
        raise SpecError(
            f'There is no column to predict "{target}" from.' if not chosen else f'"{target}" cannot predict itself.',
            hint="Choose one column to predict, and others of numbers or categories to predict it from.",
        )
    chosen_columns = tuple(Column(name=name, categories=usable[name]) for name in chosen)
    n_inputs = sum(max(1, len(column.categories)) for column in chosen_columns)
    choice: OwnTable = checked_choice(
        OwnTable, n_inputs, file=preview.file, name=preview.name, class_names=class_names, n_examples=n, task=task,
        target=target, columns=chosen_columns, drop_duplicates=drop_duplicates,
    )  # fmt: skip
    return choice


def usable_columns(preview: UploadPreview) -> dict[str, tuple[str, ...]]:
    """The columns that can be inputs, with their categories: () for numbers."""
    found = {}
    for place, (name, kind) in enumerate(zip(preview.columns, preview.column_kinds, strict=True)):
        has_numbers = preview.n_numbers is not None and preview.n_numbers[0, place] > 0
        if kind in ("number", "category") or (kind == "id" and has_numbers):
            found[name] = preview.categories[place] if kind == "category" else ()
    return found


def default_columns(preview: UploadPreview, target: str) -> tuple[str, ...]:
    """The columns to start with: all numbers and categories but the target, row numbers and those with many categories."""
    kinds = dict(zip(preview.columns, preview.column_kinds, strict=True))
    return tuple(
        name
        for name, categories in usable_columns(preview).items()
        if name != target and kinds[name] != "id" and len(categories) <= MANY_CATEGORIES
    )


def task_of(preview: UploadPreview, target: str) -> Task:
    """What a column is likely to be predicted as: a number where it holds many."""
    place = preview.columns.index(target)
    if target == preview.suggested_target:
        return preview.suggested_task
    values = preview.categories[place]
    is_class = 1 < len(values) <= FEW_NUMBERS and all(value.lstrip("-").isdigit() for value in values)
    return "regression" if preview.column_kinds[place] == "number" and not is_class else "classification"


def target_classes(
    preview: UploadPreview, target: str, task: Task, *, drop_duplicates: bool, drop_rare: bool
) -> tuple[tuple[str, ...], int]:
    """The classes of a target, () for regression, and the number of rows that have an answer.

    Raises:
        SpecError: this column cannot be predicted so.
    """
    if target not in preview.columns:
        raise SpecError(f'There is no column "{target}".', hint=nearest(target, preview.columns))
    place = preview.columns.index(target)
    kind, classes = preview.column_kinds[place], preview.categories[place]
    if kind == "constant":
        only = f'"{classes[0]}"' if classes else "nothing"
        raise SpecError(f'"{target}" is {only} in every row: there is nothing to predict.', hint="Choose another target.")
    if task == "regression":
        if kind not in ("number", "id") or preview.n_numbers is None or not preview.n_numbers[0, place]:
            raise SpecError(f'"{target}" has no numbers to predict.', hint="Predict its class, or choose a column of numbers.")
        return (), int(preview.n_numbers[int(drop_duplicates), place])
    if not classes:
        raise SpecError(
            f'"{target}" has more than {MAX_CLASSES:,} different values, too many for classes.',
            hint="Choose another target, or predict a number (regression) where it is one.",
        )
    return chosen_classes(classes, preview.category_counts[place][int(drop_duplicates)].tolist(), drop_rare=drop_rare)
