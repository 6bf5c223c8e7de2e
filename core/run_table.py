"""What one asks of a table of runs: which match, what fields there are, which is best, what groups have in common. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.run_row import Fact, RunRow

ANY: tuple[str, ...] = ()
OWN = ("name", "kind", "state", "created", "tags", "note", "id")
"""Fields of a row beside its facts and figures."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which rows are shown. Every word of `text` must be somewhere in the row; empty lists hold nothing back."""

    text: str = ""
    states: tuple[str, ...] = ANY
    kinds: tuple[str, ...] = ANY
    data: tuple[str, ...] = ANY
    tags: tuple[str, ...] = ANY

    def __call__(self, row: RunRow) -> bool:
        if self.states and row.state not in self.states:
            return False
        if self.kinds and row.kind not in self.kinds:
            return False
        if self.data and row.facts.get("data") not in self.data:
            return False
        if self.tags and not set(self.tags) & set(row.tags):
            return False
        words = self.text.lower().split()
        haystack = _haystack(row) if words else ""
        return all(word in haystack for word in words)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with the same value of a field. `best` and `mean` are of a figure, over the runs that have it."""

    value: str
    runs: tuple[str, ...]
    n_known: int
    best: float | None
    mean: float | None


def value_of(row: RunRow, field: str) -> Fact | None:
    """A field of the row itself, a figure or a fact; None where it is not known."""
    match field:
        case "tags":
            return ", ".join(row.tags) or None
        case "created":
            return row.created
        case "name":
            return title(row)
        case "kind" | "state" | "note" | "id":
            return str(getattr(row, field)) or None
    return row.figures.get(field, row.facts.get(field))


def title(row: RunRow) -> str:
    """What a run is called: its name, or the beginning of its id."""
    return row.name or f"run {row.id[:6]}"


def text_of(value: Fact | None) -> str:
    """A value as it stands in a line."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float | int) else value


def facts_of(rows: Iterable[RunRow]) -> tuple[str, ...]:
    """The facts that any of the rows has, in the order of a form."""
    return _in_order(row.facts for row in rows)


def figures_of(rows: Iterable[RunRow]) -> tuple[str, ...]:
    """The figures that any of the rows has."""
    return _in_order(row.figures for row in rows)


def is_number(rows: Sequence[RunRow], field: str) -> bool:
    """Whether a field is a number in all rows that have it, and there is one."""
    values = [value for row in rows if (value := value_of(row, field)) is not None]
    return bool(values) and all(isinstance(value, float | int) for value in values)


def differing(rows: Sequence[RunRow], fields: Iterable[str]) -> tuple[str, ...]:
    """The fields that are not the same in all rows."""
    return tuple(field for field in fields if len({value_of(row, field) for row in rows}) > 1)


def complete(rows: Iterable[RunRow], fields: Iterable[str]) -> tuple[RunRow, ...]:
    """The rows that have all of these fields."""
    wanted = tuple(fields)
    return tuple(row for row in rows if all(value_of(row, field) is not None for field in wanted))


def best_of(rows: Iterable[RunRow], figure: str, *, is_highest: bool) -> RunRow | None:
    """The row with the highest or lowest figure, the newest of equals; None where none has it."""
    known = [row for row in rows if isinstance(value_of(row, figure), float | int)]
    sign = -1.0 if is_highest else 1.0
    return min(known, key=lambda row: sign * float(value_of(row, figure) or 0.0), default=None)


def groups(rows: Sequence[RunRow], by: str, figure: str, *, is_highest: bool) -> tuple[Group, ...]:
    """Rows by the value of a field, the best group first; those without a value are the group without a name."""
    parts: dict[str, list[RunRow]] = {}
    for row in rows:
        for value in row.tags or ("",) if by == "tags" else (text_of(value_of(row, by)),):
            parts.setdefault(value, []).append(row)
    found = [_group(value, members, figure, is_highest) for value, members in parts.items()]
    sign = -1.0 if is_highest else 1.0
    return tuple(sorted(found, key=lambda group: math.inf if group.best is None else sign * group.best))


def _group(value: str, rows: list[RunRow], figure: str, is_highest: bool) -> Group:
    best = best_of(rows, figure, is_highest=is_highest)
    known = [float(number) for row in rows if isinstance(number := value_of(row, figure), float | int)]
    ids = tuple(row.id for row in rows)
    if best is None:
        return Group(value, ids, 0, None, None)
    return Group(value, ids, len(known), float(value_of(best, figure) or 0.0), math.fsum(known) / len(known))


def _in_order(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Every name once; one that is new goes behind the one before it."""
    order: list[str] = []
    for names in parts:
        at = 0
        for name in names:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    return tuple(order)


def _haystack(row: RunRow) -> str:
    """All that a word is looked for in, facts also as `lr=0.01`."""
    facts = (f"{name}={text_of(value)}" for name, value in row.facts.items())
    return " ".join([title(row), row.id, row.kind, row.state, row.reason, row.note, *row.tags, *facts]).lower()
