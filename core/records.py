"""The base of everything that travels along a run: frozen plain data with one JSON form."""

from typing import ClassVar

from pydantic import ConfigDict


class Record:
    """Base of events and commands: frozen plain data with one JSON form (bytes as base64, NaN as a word)."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="strings"
    )


class Event(Record):
    """Something that happened, in the past tense."""

    __slots__ = ()


class Command(Record):
    """A wish about a running run, sent by run id."""

    __slots__ = ()
