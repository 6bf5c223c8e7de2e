"""Rows of many numbers in a record: base64 of float32 in the store, a third of the bytes of JSON; numbers for a person."""

import base64
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, SerializationInfo

PACKED = {"packed": True}
"""The serialization context in which rows are packed."""
MIN_NUMBERS = 8
"""Shorter rows stay numbers."""


def _shown(rows: tuple[tuple[float, ...], ...], info: SerializationInfo) -> Any:
    """Rows whose numbers are all float32, as losses are, packed; others as they are, so that nothing is lost."""
    if not (info.context and info.context.get("packed")):
        return [[_plain(number) for number in row] for row in rows]
    return [_packed(row) for row in rows]


def _packed(row: tuple[float, ...]) -> Any:
    if len(row) >= MIN_NUMBERS:
        exact = np.array(row, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            small = exact.astype("<f4")
        if np.array_equal(small.astype(np.float64), exact, equal_nan=True):
            return base64.b64encode(small.tobytes()).decode()
    return [_plain(number) for number in row]


def _plain(number: float) -> float | str:
    """A number as JSON has it: NaN and infinity as words."""
    if number != number:
        return "NaN"
    return number if abs(number) != float("inf") else ("Infinity" if number > 0 else "-Infinity")


def _read(given: Any) -> Any:
    """Packed rows as numbers again; everything else is left to the check that follows."""
    if not isinstance(given, list | tuple):
        return given
    return tuple(_unpacked(row) if isinstance(row, str) else row for row in given)


def _unpacked(row: str) -> tuple[float, ...]:
    data = base64.b64decode(row, validate=True)
    return tuple(np.frombuffer(data, "<f4").astype(np.float64).tolist())


Rows = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(_read), PlainSerializer(_shown, when_used="json")]
