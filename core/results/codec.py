"""A Result as npz bytes and back, without pickle: arrays as members, everything else as one JSON member."""

import io
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter

from core.errors import StoreError

R = TypeVar("R")
PLAIN = "plain.json"


def result_bytes(result: Any) -> bytes:
    """The npz file of a Result: one member per array field (tuples of arrays: one per entry), the rest as JSON."""
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {}
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif isinstance(value, tuple) and value and all(isinstance(entry, np.ndarray) for entry in value):
            arrays |= {f"{field.name}.{i}": entry for i, entry in enumerate(value)}
            plain[field.name] = {"arrays": len(value)}
        else:
            plain[field.name] = value
    text = TypeAdapter(dict[str, Any], config={"ser_json_inf_nan": "constants"}).dump_json(plain)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{PLAIN: np.frombuffer(text, np.uint8)}, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def load_result(wanted: type[R], data: bytes) -> R:
    """The Result of class `wanted` from its npz bytes.

    Raises:
        StoreError: the file is damaged, or holds another kind of result.
    """
    if not is_dataclass(wanted):
        raise TypeError(f"{wanted} is not a Result")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as members:
            plain = json.loads(members[PLAIN].tobytes())
            values = {field.name: _value(field, members, plain) for field in fields(wanted)}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise StoreError("A stored result is damaged.", hint="Compute it again.", cause=str(error)) from error
    return wanted(**values)


def _value(field: Field[Any], members: Any, plain: dict[str, Any]) -> Any:
    name = field.name
    if name in members:
        return members[name]
    if name not in plain and field.default is not MISSING:
        return field.default  # it was saved before this field was there
    value = plain[name]
    if isinstance(value, dict) and set(value) == {"arrays"}:
        return tuple(members[f"{name}.{i}"] for i in range(value["arrays"]))
    return _tuples(value)


def _tuples(value: Any) -> Any:
    """JSON lists as the tuples that they were."""
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value
