"""Everything that can fail in words.

LayerwiseError
├── SpecError            the user can mend it: a wrong number, name, shape or link
│   ├── ShapeError       a layer cannot take what the layer before it gives
│   ├── NotApplicable    a method does not fit this model or this data
│   ├── TooExpensive     asked for more memory, time or layers than the limits allow
│   └── NotYours         a change of what belongs to another visitor
├── TrainingError        the run went wrong: it diverged, it ran out of memory
├── StoreError           the place is wrong: disk full, database damaged, no such run
│   └── MissingData      files of a data set are not where they should be
├── PoolError            no worker could be reached or started
└── MissingPackage       an optional package is not installed

`message` says what is wrong, with numbers; `hint` says what to do now; `params` carries the numbers for a translation.
Bugs stay bugs: nothing here wraps a TypeError.
"""

import difflib
from collections.abc import Iterable
from typing import Any


class LayerwiseError(Exception):
    """An error meant for a person. `str(error)` is one paragraph: message, then hint."""

    def __init__(self, message: str, *, hint: str = "", **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.params = params

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SpecError(LayerwiseError):
    """What was asked for is not possible, and the user can mend it."""


class ShapeError(SpecError):
    """A layer cannot take the shape that reaches it."""


class NotApplicable(SpecError):
    """A method does not fit this model or this data; the message says why."""


class TooExpensive(SpecError):
    """More than the limits allow; the message has both numbers."""


class NotYours(SpecError):
    """A change of what belongs to another visitor."""


class TrainingError(LayerwiseError):
    """The run itself went wrong."""


class StoreError(LayerwiseError):
    """The place where runs are kept is wrong."""


class MissingData(StoreError):
    """Files of a data set are not there; the hint names the folder and the files."""


class PoolError(LayerwiseError):
    """No supervisor or worker could be reached."""


class MissingPackage(LayerwiseError):
    """An optional package is needed and not installed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a wrong name: the nearest right one, or the list of all."""
    by_lower = {each.lower(): each for each in known}  # people mistake capitals first of all
    match = difflib.get_close_matches(str(name)[:80].lower(), by_lower, n=1, cutoff=0.4)
    return f"Did you mean {by_lower[match[0]]!r}?" if match else f"Choose one of: {', '.join(by_lower.values())}."
