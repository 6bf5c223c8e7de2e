"""Names that a stranger chose (of files, columns, classes) as they may be shown, compared and put into a link."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_NAME = 60
MAX_CLASSES = 1000
LONG = 1000
"""Characters; of a longer name only the beginning is looked at, and nothing is kept."""
JOINERS = "\u200c\u200d"
"""Invisible, and part of correct spelling in Persian and of many emoji."""
LISTED = 5
LONGEST_ENDING = 8


def clean_name(text: str) -> str:
    """`text` on one line, without invisible characters; what would turn the writing direction is shown as its code.

    Longer names end in a digest of the whole, so that different names stay different. Cleaning twice changes nothing.
    """
    return _clean(text) if len(text) <= LONG else _with_digest(visible(text[:LONG]), text, MAX_NAME)


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    return _cut(visible(text), MAX_NAME)


def file_name(path: str) -> str:
    """The name of a file as it may be shown: the last part of its path, with its ending also where it is long."""
    name = path.replace("\\", "/").rpartition("/")[2]
    name = visible(name if len(name) <= LONG else name[: LONG // 2] + name[-LONG // 2 :])
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > LONGEST_ENDING:
        return _cut(name, MAX_NAME)
    return f"{_cut(stem, MAX_NAME - len(ending) - 1)}.{ending}"


def visible(text: str) -> str:
    """`text` on one line, of any length, without invisible characters."""
    shown = text if text.isascii() and text.isprintable() else "".join(_shown(character) for character in text)
    return " ".join(unicodedata.normalize("NFC", shown).split())


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else _with_digest(name, name, most)


def _with_digest(name: str, whole: str, most: int) -> str:
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name[: most - 7].rstrip()}…{digest}"


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category[0] != "C" or character in JOINERS:
        return character
    is_turning = unicodedata.bidirectional(character) not in ("", "BN")
    return f"\\u{ord(character):04x}" if is_turning else ""


def _is_clean(name: str) -> str:
    if not name or clean_name(name) != name:
        raise PydanticCustomError("name", "a name has 1 to {most} visible characters", {"most": MAX_NAME})
    return name


Name = Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_is_clean)]
"""A name that is safe to show."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a file's bytes: its name here."""


def distinct_names(names: Iterable[str], stand_in: str = "column") -> tuple[str, ...]:
    """The names, cleaned; empty ones as "column 3", repeated ones with a number. Linear in their number."""
    found: dict[str, None] = {}
    counts: dict[str, int] = {}
    for place, raw in enumerate(names):
        name = clean_name(raw) or f"{stand_in} {place + 1}"
        fresh = name
        while fresh in found:
            counts[name] = counts.get(name, 1) + 1
            fresh = clean_name(f"{name} ({counts[name]})")
        found[fresh] = None
    return tuple(found)


def listed(names: Sequence[str], most: int = LISTED) -> str:
    """The first names in words: `"a", "b" and 3 more`."""
    shown = ", ".join(f'"{name}"' for name in names[:most])
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown
