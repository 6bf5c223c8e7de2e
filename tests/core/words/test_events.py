"""The record codec: every event and command survives JSON, numbers bit for bit."""

import dataclasses
import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.events import COMMANDS, EVENTS, StepsDone, dump, line, load_command, load_event

FLOATS = st.floats(allow_nan=False)


def values_of(hint):
    """Values for one type hint of an event."""
    if typing.get_origin(hint) is tuple:
        return st.lists(values_of(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    if typing.get_origin(hint) is dict:
        return st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
    if typing.get_args(hint):  # a union, such as float | None
        return st.one_of(*(st.none() if arm is type(None) else values_of(arm) for arm in typing.get_args(hint)))
    plain = {
        int: st.integers(0, 2**40),
        float: FLOATS,
        str: st.text(max_size=20),
        bytes: st.binary(max_size=20),
        bool: st.booleans(),
    }
    return plain[hint]


def records(cls):
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(cls)})


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_survives_the_codec(name):
    @given(records(EVENTS[name]))
    def survives(event):
        assert load_event(name, dump(event)) == event
        assert json.loads(line(event))["event"] == name

    survives()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_survives_the_codec(name):
    @given(records(COMMANDS[name]))
    def survives(command):
        assert load_command(name, dump(command)) == command

    survives()


def test_a_loss_that_is_not_a_number_survives_too():
    event = StepsDone(1, 1, ((float("nan"), float("inf"), -float("inf")),), (0.1,), 0.0)
    back = load_event("StepsDone", dump(event)).losses[0]
    assert str(back) == "(nan, inf, -inf)"


def test_an_unknown_record_is_refused():
    with pytest.raises(KeyError):
        load_event("Stop", "{}")
    with pytest.raises(KeyError):
        load_command("Started", "{}")
    with pytest.raises(ValidationError):
        load_command("Step", '{"n": 1, "code": "x"}')
