"""YAML or JSON as plain values, each with the line on which it stands, read from a stranger's text.

Only mappings, lists, text, numbers, true, false and null are read: no tags, no anchors or aliases (a few lines of them can
mean billions of values), no second document. Words mean what YAML 1.2 and JSON say: `no`, `on` and `yes` are text, and
`1e-3` is a number. The text becomes values event by event, without recursion.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from core.errors import SpecError
from core.spec import MAX_TEXT_BYTES

MAX_DEPTH = 40
"""Brackets or indentations inside each other."""
MAX_WORD = 200
"""Characters of one key or value."""

MAX_VALUES = 10_000
"""Keys and values together: half a second of reading."""

Place = tuple[str | int, ...]
"""Where a value stands: keys and indices from the root."""

WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"[-+]?[0-9]+", re.ASCII)
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not come yet; `key` is the key whose value comes next."""

    place: Place
    value: dict[str, Any] | list[Any]
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    """Values so far, and the line of each, numbered from 1."""

    lines: dict[Place, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    root: Any = None
    n_documents: int = 0
    n_values: int = 0

    def take(self, event: Event) -> None:
        """Add what one event says."""
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        _refuse_extras(event, line)
        if isinstance(event, DocumentStartEvent):
            self.n_documents += 1
            if self.n_documents > 1:
                raise wrong(line, "a second document (---) begins", "Keep one of them.")
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.stack.pop()
        elif isinstance(event, ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            value: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            self.stack.append(_Open(self._put(value, line), value))
            if len(self.stack) > MAX_DEPTH:
                raise wrong(line, f"more than {MAX_DEPTH} levels stand inside each other", "A stack needs far fewer.")

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        self.n_values += 1
        if self.n_values > MAX_VALUES:
            raise wrong(line, f"more than {MAX_VALUES:,} names and values", "A stack needs far fewer.")
        text = event.value
        if len(text) > MAX_WORD:
            raise wrong(line, f"a word of {len(text):,} characters, the limit is {MAX_WORD}", "Shorten it.")
        if not text.isprintable():
            raise wrong(line, f"{text[:40]!r} has characters that cannot be shown", "Remove them.")
        holder = self.stack[-1] if self.stack else None
        if holder is not None and isinstance(holder.value, dict) and holder.key is None:
            if text in holder.value:
                raise wrong(line, f"{text!r} is there twice", "Keep one of them.")
            holder.key = text
        else:
            self._put(_plain(text, line) if event.style is None else text, line)

    def _put(self, value: Any, line: int) -> Place:
        """Store `value` where it belongs."""
        holder = self.stack[-1] if self.stack else None
        place: Place = ()
        if holder is None:
            self.root = value
        elif isinstance(holder.value, list):
            place = (*holder.place, len(holder.value))
            holder.value.append(value)
        elif holder.key is None:
            raise wrong(line, "a name is needed here, not a list or a mapping", "Write `name: value`.")
        else:
            place = (*holder.place, holder.key)
            holder.value[holder.key] = value
            holder.key = None
        self.lines[place] = line
        return place


def values_with_lines(text: str) -> tuple[Any, dict[Place, int]]:
    """The values in a YAML or JSON text, and the line of each, numbered from 1.

    Raises:
        SpecError: too long, not YAML, or more than plain values; the message names the line.
    """
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    if n_bytes > MAX_TEXT_BYTES:
        raise SpecError(
            f"This text has {n_bytes:,} bytes, the limit is {MAX_TEXT_BYTES:,}.",
            hint="An architecture is far shorter: check that you have the right file.",
        )
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):  # JSON may be indented by tabs, which YAML refuses
        text = text.replace("\t", " ")
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise wrong(line, error.problem or "this cannot be read", "Check brackets, quotes, commas and indentation.") from None
    except yaml.YAMLError:
        raise SpecError("This text has characters that no text file has.", hint="Check that you have the right file.") from None
    return reader.root, reader.lines


def wrong(line: int, what: str, hint: str) -> SpecError:
    """The error "Line <line>: <what>."."""
    return SpecError(f"Line {line:,}: {what}.", hint=hint, line=line)


def _refuse_extras(event: Event, line: int) -> None:
    """What YAML can say beyond plain values."""
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
        raise wrong(line, "anchors (&) and aliases (*) are not allowed here", "Write the value out where it is needed.")
    if getattr(event, "tag", None) is not None:
        raise wrong(line, "tags (!) are not allowed here", "Write plain values.")


def _plain(text: str, line: int) -> Any:
    """An unquoted word as YAML 1.2 reads it."""
    if text in WORDS:
        return WORDS[text]
    if not NUMBER.fullmatch(text):
        return text
    if len(text) > 30:
        raise wrong(line, f"the number {text[:30]}... is too long", "Write it with fewer digits.")
    return int(text) if WHOLE.fullmatch(text) else float(text)
