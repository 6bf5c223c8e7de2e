"""Binary frames for the browser: a JSON header, then raw arrays that need no parsing.

One frame is: uint32 (little-endian) length of the header, the header as UTF-8 JSON, zeros up to a multiple of 8 bytes,
then each array of `header["arrays"]` in order, little-endian, each padded to a multiple of 8 bytes. A message is one
frame or several in a row. Every offset is a multiple of 8, so a reader can view the arrays in place.
"""

import json
import math
import struct
from typing import Any

import numpy as np

ALIGN = 8
LENGTH = struct.Struct("<I")
TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1"}


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGN)


def _plain(value: Any) -> Any:
    """`value` with null for every number that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def frame(kind: str, header: dict[str, Any], arrays: dict[str, tuple[str, Any]] | None = None) -> bytes:
    """One frame of type `kind`; `arrays` maps a name to (one of TYPES, array-like)."""
    ready = {name: np.ascontiguousarray(data, dtype=TYPES[code]) for name, (code, data) in (arrays or {}).items()}
    described = (
        [{"name": name, "dtype": arrays[name][0], "shape": list(data.shape)} for name, data in ready.items()] if arrays else []
    )
    text = json.dumps({"type": kind, **_plain(header), "arrays": described}, separators=(",", ":")).encode()
    head = _padded(LENGTH.pack(len(text)) + text)
    return head + b"".join(_padded(data.tobytes()) for data in ready.values())
