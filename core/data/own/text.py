"""A visitor's texts: one column of sentences, one column to predict."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.data.dataset import DataProfile, Split, Splits, unprepared
from core.data.own.own_file import OwnFile, check_values, checked_choice
from core.data.own.reading.columns import class_name, row_digest
from core.data.own.reading.csv_text import LARGEST, dialect_of, number, rows_of
from core.data.own.reading.names import Name
from core.data.own.reading.tokens import TokenKind, tokens
from core.data.own.table import target_classes
from core.data.sequence import SPECIAL, UNKNOWN
from core.data.split import cut
from core.errors import SpecError, nearest
from core.results.upload_preview import UploadPreview
from core.settings import Settings
from core.types import Task


class OwnText(OwnFile):
    """Texts of your own: one text in each row, one column to predict."""

    kind: Literal["own_text"] = "own_text"
    label: ClassVar[str] = "Own texts"
    tunable: ClassVar[tuple[str, ...]] = ("tokens", "max_length", "max_vocabulary")

    task: Task = "classification"
    """Whether a class or a number is predicted."""
    text_column: Name
    """The column with the texts."""
    target: Name
    """The column to predict."""
    tokens: TokenKind = "word"
    """What a text is cut into."""
    max_length: int = Field(40, ge=2, le=512)
    """Tokens of one example: longer texts lose their end, shorter ones are padded on the left."""
    max_vocabulary: int = Field(2000, ge=10, le=20_000)
    """Token numbers, padding and unknown tokens counted: the most frequent tokens of the training split have one each."""
    drop_duplicates: bool = False
    """Leave out rows that equal an earlier one in every column."""

    @model_validator(mode="after")
    def _has_two_columns(self) -> Self:
        if self.text_column == self.target:
            raise PydanticCustomError("columns", "the column of texts cannot be the target too")
        return self

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile(
            "sequence",
            (self.max_length,),
            self.class_names,
            *self.sizes,
            task=self.task,
            target_name=self.target,
            n_tokens=self.max_vocabulary,
        )

    def original(self, seed: int) -> Splits:
        """The texts as token numbers; which token has a number is learned from the training split alone.

        Raises:
            MissingData: the file is not on this server.
            SpecError: the file is not as described.
        """
        ids, y, packed = self.kept(("ids", "y", "tokens"), self._read)
        known = np.asarray(packed).tobytes().decode().split("\n")
        train, *others = cut(ids, y, self.sizes, seed)
        numbers, vocabulary = _numbered(train.x, known, self.max_vocabulary)
        parts = [Split(numbers[part.x], part.y) for part in (train, *others)]
        return unprepared(self.original_profile(), parts, vocabulary=vocabulary)

    def _read(self, data: bytes, settings: Settings) -> tuple[np.ndarray, ...]:
        """All texts (N, L) int32 as places in a list of all tokens, the answers (N,), and that list, packed as UTF-8."""
        check_values(self.n_examples, self.max_length, settings)
        dialect = dialect_of(data, self.name, settings)
        at_text, at_target = (_place(self, dialect.names, name) for name in (self.text_column, self.target))
        places = {token: place for place, token in enumerate(SPECIAL)}
        classes = {name: place for place, name in enumerate(self.class_names)}
        seen: set[bytes] = set()
        ids, answers = [], []
        for cells in rows_of(data, dialect, self.name):
            cells += [""] * (max(at_text, at_target) + 1 - len(cells))
            answer = _answer(cells[at_target], classes, dialect.decimal)
            digest = row_digest(cells) if self.drop_duplicates else b""
            if answer is None or digest in seen:
                continue
            if self.drop_duplicates:
                seen.add(digest)
            found = tokens(cells[at_text], self.tokens)[: self.max_length]
            row = [places.setdefault(token, len(places)) for token in found] or [SPECIAL.index(UNKNOWN)]
            ids.append(np.array([0] * (self.max_length - len(row)) + row, np.int32))
            answers.append(answer)
        y = np.array(answers, np.int64 if self.task == "classification" else np.float32)
        self.check_examples(len(y), np.bincount(y, minlength=len(classes)).tolist() if classes else ())
        return np.stack(ids), y, np.frombuffer("\n".join(places).encode(), np.uint8)


def _answer(cell: str, classes: dict[str, int], decimal: str) -> float | None:
    """The class, or the number; None where there is none that can be used."""
    if classes:
        return classes.get(class_name(cell, decimal))
    value = number(cell, decimal)
    return None if value is None or abs(value) > LARGEST else value


def _place(choice: OwnText, names: Sequence[str], name: str) -> int:
    if name not in names:
        raise choice.mismatch(f'it has no column "{name}". {nearest(name, names)}'.rstrip("."))
    return names.index(name)


def _numbered(train: np.ndarray, known: Sequence[str], most: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number (int64) of each known token, and the token of each number, by frequency in the training texts (N, L)."""
    counts = np.bincount(train.ravel(), minlength=len(known))
    counts[: len(SPECIAL)] = 0
    order = np.lexsort((np.array(known), -counts))[: most - len(SPECIAL)]
    kept = order[counts[order] > 0]
    numbers = np.full(len(known), SPECIAL.index(UNKNOWN), np.int64)
    numbers[0] = 0
    numbers[kept] = np.arange(len(kept)) + len(SPECIAL)
    return numbers, (*SPECIAL, *(known[place] for place in kept))


def text_choice(
    preview: UploadPreview,
    text_column: str,
    target: str,
    task: Task = "classification",
    *,
    drop_duplicates: bool = False,
    drop_rare: bool = False,
) -> OwnText:
    """The data set of a previewed table with a column of texts, with a length that holds most of them.

    Raises:
        SpecError: it cannot be learned from so; the message says why.
    """
    if preview.source != "csv" or text_column not in preview.columns:
        raise SpecError(f'There is no column of texts "{text_column}".', hint=nearest(text_column, preview.columns))
    if text_column == target:
        raise SpecError(f'"{target}" cannot predict itself.', hint="Choose one column of texts, and another one to predict.")
    class_names, n = target_classes(preview, target, task, drop_duplicates=drop_duplicates, drop_rare=drop_rare)
    choice: OwnText = checked_choice(
        OwnText, 40, file=preview.file, name=preview.name, class_names=class_names, n_examples=n, task=task,
        target=target, text_column=text_column, drop_duplicates=drop_duplicates,
    )  # fmt: skip
    return choice
