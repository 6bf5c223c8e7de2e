"""The columns of a table, judged by their values in one pass that keeps little: kinds, counts, categories."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice

from core.data.own.reading.csv_text import LARGEST, is_missing, number
from core.data.own.reading.names import MAX_CLASSES, clean_name
from core.data.own.reading.tokens import n_words
from core.errors import TooExpensive
from core.results.upload_preview import ColumnKind
from core.settings import Settings

CHUNK = 4096
"""Rows looked at together."""
MOST_UNIQUE = 20_000
SAMPLE = 200
LONG = 200
"""Characters; a longer value is no category."""
MOSTLY = 0.95
"""A column with so many numbers is one of numbers; the rest counts as missing."""
FEW = 20
ROW_NAMES = {"", "id", "index", "idx", "nr", "no", "no.", "number", "row", "rowid", "row_id", "uuid", "unnamed: 0"}
MILLION = 1_000_000


@dataclass(slots=True)
class Column:
    """What is known of one column so far. Pairs of counts are of all rows, and of rows that equal no earlier one."""

    name: str
    decimal: str = "."
    n_missing: list[int] = field(default_factory=lambda: [0, 0])
    n_numbers: list[int] = field(default_factory=lambda: [0, 0])
    n_words: list[int] = field(default_factory=lambda: [0, 0])
    n_infinite: int = 0
    strange: list[str] = field(default_factory=list)
    """The first values that are no numbers."""
    values: dict[str, list[int]] | None = field(default_factory=dict)
    """Counts of each value; None once there are too many."""
    seen: set[int] = field(default_factory=set)
    low: float = math.inf
    high: float = -math.inf
    is_whole: bool = True

    def add(self, cells: Mapping[str, int], distinct: Mapping[str, int]) -> None:
        """Count cells: how often each occurs in some rows, and in those of them that equal no earlier row."""
        for raw, n in cells.items():
            both = (n, distinct.get(raw, 0))
            value = number(raw, self.decimal)
            is_infinite = value is not None and abs(value) > LARGEST
            if is_infinite or (value is None and is_missing(raw)):
                self.n_infinite += n * is_infinite
                _count(self.n_missing, both)
            else:
                self._add_known(raw.strip(), value, both)

    def _add_known(self, cell: str, value: float | None, both: tuple[int, int]) -> None:
        if value is None:
            _count(self.n_words, both)
            if len(self.strange) < SAMPLE and cell not in self.strange:
                self.strange.append(cell[:2000])
        else:
            _count(self.n_numbers, both)
            self.low, self.high = min(self.low, value), max(self.high, value)
            self.is_whole = self.is_whole and value.is_integer()
        if len(self.seen) < MOST_UNIQUE:
            self.seen.add(hash(cell if value is None else value))
        if self.values is not None:
            if len(cell) > LONG or len(self.values) > 2 * MAX_CLASSES:
                self.values = None
            else:
                _count(self.values.setdefault(_name(cell, value), [0, 0]), both)

    @property
    def n_known(self) -> int:
        return self.n_numbers[0] + self.n_words[0]

    @property
    def kind(self) -> ColumnKind:
        """What this column is good for."""
        if len(self.seen) < 2:
            return "constant"
        if self.n_numbers[0] >= MOSTLY * self.n_known:
            return "id" if self._counts_rows() else "number"
        is_text = sum(map(n_words, self.strange)) >= 3 * len(self.strange)
        if is_text and len(self.seen) > FEW:
            return "text"
        is_repeated = 2 * len(self.seen) <= self.n_known or (len(self.seen) <= FEW and len(self.seen) < self.n_known)
        if is_repeated and len(self.seen) <= MAX_CLASSES:
            return "category"
        return "text" if is_text else "id"

    def _counts_rows(self) -> bool:
        """Whether the numbers only number the rows."""
        is_unique = self.is_whole and len(self.seen) == min(self.n_known, MOST_UNIQUE) and self.n_known > FEW
        return is_unique and (self.high - self.low + 1 == self.n_known or self.name.lower() in ROW_NAMES)

    def classes(self) -> dict[str, list[int]]:
        """The values as classes, in order, with their two counts; empty where there are too many."""
        if self.values is None or len(self.values) > MAX_CLASSES:
            return {}
        if self.kind in ("number", "id") and self.n_numbers[0]:
            numbers = {text: counts for text, counts in self.values.items() if number(text, ".") is not None}
            return dict(sorted(numbers.items(), key=lambda entry: float(entry[0])))
        return dict(sorted(self.values.items()))


@dataclass(slots=True)
class Table:
    """What is known of a table after all its rows were looked at."""

    columns: list[Column]
    n_rows: int = 0
    n_distinct: int = 0
    first_rows: list[list[str]] = field(default_factory=list)
    n_short: int = 0
    n_long: int = 0


def class_name(cell: str, decimal: str) -> str:
    """The class, or the category, that a cell names; "" for a missing one. 1 and 1.0 are the same."""
    if is_missing(cell):
        return ""
    value = number(cell, decimal)
    return "" if value is not None and abs(value) > LARGEST else _name(cell, value)


def _name(cell: str, value: float | None) -> str:
    return clean_name(cell) if value is None else f"{value + 0.0:.12g}"  # -0.0 + 0.0 is 0.0


def row_digest(cells: Iterable[str]) -> bytes:
    """Equal for equal rows."""
    return blake2b("\x1f".join(cells).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def looked_through(rows: Iterator[list[str]], columns: list[Column], settings: Settings, n_first: int = 20) -> Table:
    """The table with all its rows counted.

    Raises:
        TooExpensive: more rows, or more numbers, than the limits.
    """
    table, digests = Table(columns), set[bytes]()
    most = min(settings.upload_rows, settings.upload_values_m * MILLION // max(1, len(columns)))
    while chunk := list(islice(rows, CHUNK)):
        table.n_rows += len(chunk)
        if table.n_rows > most:
            raise TooExpensive(
                f"This table has more than {most:,} rows.",
                hint="Send a random part of the rows, or raise LAYERWISE_UPLOAD_ROWS on the server.",
                limit=most,
            )
        table.first_rows += chunk[: n_first - len(table.first_rows)]
        _count_chunk(table, chunk, digests)
    table.n_distinct = len(digests)
    return table


def _count_chunk(table: Table, chunk: list[list[str]], digests: set[bytes]) -> None:
    fresh = []
    for row in chunk:
        digest = row_digest(row)
        if digest not in digests:
            digests.add(digest)
            fresh.append(row)
        table.n_short += len(row) < len(table.columns)
        table.n_long += len(row) > len(table.columns)
    for place, column in enumerate(table.columns):
        cells = Counter(row[place] if place < len(row) else "" for row in chunk)
        is_all = len(fresh) == len(chunk)
        column.add(cells, cells if is_all else Counter(row[place] if place < len(row) else "" for row in fresh))


def _count(counts: list[int], both: tuple[int, int]) -> None:
    counts[0] += both[0]
    counts[1] += both[1]
