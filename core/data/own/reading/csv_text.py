"""CSV text of strangers: how it is written (encoding, separator, decimal sign, header), and its rows one by one."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from core.data.own.reading.names import distinct_names
from core.errors import SpecError, TooExpensive
from core.settings import Settings

HEAD_BYTES = 64 * 1024
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tabulator", "|": "bar"}
MISSING = {"", "na", "n/a", "nan", "null", "?", "-", "#n/a"}
"""What people write for a missing value, in small letters."""
LARGEST = 3.4e38
"""Above this a number is infinite as float32."""
WITH_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][+-]?\d+)?", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
WITH_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", re.ASCII)
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
UTF8_HINT = "Save it again as text: in Excel 'CSV UTF-8', in LibreOffice 'Text CSV' with the character set UTF-8."
GUESSED = {
    "cp1252": "Western European (Windows-1252)",
    "latin-1": "Western European (Latin-1)",
    "gb18030": "Chinese (GB 18030)",
}
"""Encodings that no mark proves, in words."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written. `names` are its columns, clean and distinct; `n_renamed` counts those that were not."""

    encoding: str
    separator: str
    decimal: str
    has_header: bool
    names: tuple[str, ...]
    n_renamed: int = 0


def check_table(data: bytes, name: str, settings: Settings) -> None:
    """Looks at the bytes once and at the first 64 KB closely.

    Raises:
        SpecError: binary, empty, of one column, or not to be decoded.
        TooExpensive: more columns than the limit.
    """
    dialect_of(data, name, settings)


def dialect_of(data: bytes, name: str, settings: Settings) -> Dialect:
    """How this table is written; errors as in `check_table`."""
    encoding = _encoding(data, name)
    head = codecs.getincrementaldecoder(encoding)("replace").decode(data[:HEAD_BYTES])
    first = head.lstrip("\r\n").splitlines()[:1]
    if not first or not first[0].strip():
        raise SpecError(
            f'"{name}" has no rows.', hint="Put the names of the columns into the first line and one example into each line."
        )
    _check_first_line(first[0], name, settings)
    lines = head.splitlines(keepends=True)
    whole = "".join(lines[:-1] if len(data) > HEAD_BYTES and len(lines) > 1 else lines)
    separator, rows = _separated(whole, name)
    if len(rows[0]) > settings.max_columns:  # a line break within quotation marks hid them
        raise _too_wide(len(rows[0]), name, settings)
    decimal = _decimal(rows, separator)
    names = rows[0] if _is_header(rows, decimal) else [""] * len(rows[0])
    clean = distinct_names(names)
    n_renamed = sum(raw.strip() != shown for raw, shown in zip(names, clean, strict=True)) if any(names) else 0
    return Dialect(encoding, separator, decimal, any(names), clean, n_renamed)


def rows_of(data: bytes, dialect: Dialect, name: str) -> Iterator[list[str]]:
    """The rows under the header, as they are written; empty lines are left out.

    Raises:
        SpecError: a cell that never ends.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding=dialect.encoding, newline="")
    reader = csv.reader(text, delimiter=dialect.separator)
    try:
        rows = (row for row in reader if row)
        if dialect.has_header:
            next(rows, None)
        yield from rows
    except csv.Error as error:
        raise SpecError(
            f'"{name}" cannot be read beyond line {reader.line_num:,}: {error}.',
            hint="Look at this line: mostly a quotation mark is not closed.",
        ) from None


def number(cell: str, decimal: str) -> float | None:
    """The number in a cell, infinite where it is out of range; None where there is none."""
    text = cell.strip()
    if decimal == "," and WITH_COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif decimal == "." and "," in text and THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if "_" in text or not text.isascii():  # Python's own way of writing numbers
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return None if value != value else value


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def _encoding(data: bytes, name: str) -> str:
    """The encoding of all bytes: UTF-8, or UTF-16 by its mark, or a guess that is told to the user.

    Raises:
        SpecError: binary.
    """
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)
    if marked is None and (b"\0" in data or CONTROL.search(data, 0, HEAD_BYTES)):
        raise SpecError(f'"{name}" holds bytes that no text has: it is a binary file, or text in UTF-16.', hint=UTF8_HINT)
    for encoding in (marked,) if marked else ("utf-8", "gb18030", "cp1252", "latin-1"):
        if _decodes(data, encoding) and (encoding != "gb18030" or _looks_chinese(data)):
            return encoding
    raise SpecError(f'"{name}" is marked as {str(marked).upper()}, but not all of it is.', hint=UTF8_HINT)


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether all bytes can be decoded, piece by piece, so that no second copy of the whole is made."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), HEAD_BYTES):
            decoder.decode(data[start : start + HEAD_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _looks_chinese(data: bytes) -> bool:
    """Whether the bytes above ASCII come in the pairs of GB 2312, as in Chinese text; single ones are accents."""
    runs = re.findall(rb"[\x80-\xff]+", data[: 16 * HEAD_BYTES])
    pairs = sum(len(run) // 2 for run in runs if len(run) % 2 == 0 and min(run) >= 0xA1)
    return 2 * pairs >= 0.8 * sum(map(len, runs))


def _check_first_line(line: str, name: str, settings: Settings) -> None:
    """Counts separators, so that a million columns cost nothing."""
    n_columns = max(line.count(separator) for separator in SEPARATORS) + 1
    if n_columns > settings.max_columns and max(_field_counts(line).values()) > settings.max_columns:
        raise _too_wide(n_columns, name, settings)
    if len(line.encode()) >= HEAD_BYTES:
        raise SpecError(
            f'The first line of "{name}" has more than {HEAD_BYTES:,} bytes.',
            hint="The first line should name the columns, in short words.",
        )


def _too_wide(n_columns: int, name: str, settings: Settings) -> TooExpensive:
    return TooExpensive(
        f'"{name}" has more than {settings.max_columns:,} columns (at least {n_columns:,} in its first line).',
        hint="Leave some columns out, put one example into each line, or raise LAYERWISE_MAX_COLUMNS on the server.",
        limit=settings.max_columns,
    )


def _field_counts(line: str) -> dict[str, int]:
    """Fields of a line by separator, quotation marks minded."""
    counts = {}
    for separator in SEPARATORS:
        try:
            counts[separator] = len(next(csv.reader([line], delimiter=separator), []))
        except csv.Error:  # a field beyond the csv module's limit: as many as there are separators
            counts[separator] = line.count(separator) + 1
    return counts


def _separated(head: str, name: str) -> tuple[str, list[list[str]]]:
    """The separator under which most rows have equally many fields, and the first rows."""
    best: tuple[float, int, str, list[list[str]]] = (0.0, 0, ",", [])
    for separator in SEPARATORS:
        rows = _first_rows(head, separator)
        widths = Counter(map(len, rows))
        width, n = widths.most_common(1)[0] if widths else (0, 0)
        if width > 1:
            best = max(best, (n / len(rows), width, separator, rows))
    if not best[3]:
        raise SpecError(
            f'"{name}" has one column only.',
            hint=f"It needs a column to predict and one to predict it from, with a {' or '.join(SEPARATORS.values())} between.",
        )
    return best[2], best[3]


def _first_rows(head: str, separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator):
            if row:
                rows.append(row)
            if len(rows) >= 100:
                break
    except csv.Error:  # the last row of the head may be cut within quotation marks
        return rows
    return rows


def _decimal(rows: list[list[str]], separator: str) -> str:
    """The sign before the decimals: the comma where more cells have one so than a point. 1,234 between commas is English."""
    cells = [cell.strip() for row in rows for cell in row]
    with_comma = [cell for cell in cells if WITH_COMMA.fullmatch(cell)]
    if separator == ",":
        with_comma = [cell for cell in with_comma if not THOUSANDS.fullmatch(cell)]
    return "," if len(with_comma) > sum(WITH_POINT.fullmatch(cell) is not None for cell in cells) else "."


def _is_header(rows: list[list[str]], decimal: str) -> bool:
    """Whether the first row names the columns: in it are no numbers, other than those that count the columns, and nothing
    that occurs again below it."""
    first, below = [cell.strip() for cell in rows[0]], rows[1:]
    numbers = [value for cell in first if (value := number(cell, decimal)) is not None]
    are_counting = len(numbers) > 3 and numbers[0] in (0, 1) and all(b - a == 1 for a, b in pairwise(numbers))
    if not any(first) or (numbers and not are_counting):
        return False
    names = [cell if number(cell, decimal) is None else "" for cell in first]
    return not any(name and name == cell.strip() for row in below for name, cell in zip(names, row, strict=False))
