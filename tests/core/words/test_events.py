"""The record codec: every event and command survives JSON, numbers bit for bit."""

import dataclasses
import json
import typing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.events import COMMANDS, EVENTS, StepsDone, dump, line, load_command, load_event

FLOATS = st.floats(allow_nan=False)


def values_of(hint):
    """Values for one type hint of an event."""
    if typing.get_origin(hint) is typing.Annotated:
        return values_of(typing.get_args(hint)[0])
    if dataclasses.is_dataclass(hint):
        fields = typing.get_type_hints(hint, include_extras=True)
        return st.builds(hint, **{name: values_of(inner) for name, inner in fields.items()})
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


NUMBERS = st.lists(st.lists(st.floats(width=32) | st.floats(), min_size=6, max_size=20).map(tuple), max_size=3).map(tuple)


@given(NUMBERS)
def test_long_rows_of_numbers_are_packed_without_a_loss(rows):
    event = StepsDone(1, 1, rows, (0.1,), 0.0)
    text = dump(event)
    assert repr(load_event("StepsDone", text)) == repr(event)
    assert len(text) <= len(line(event))


def test_packed_rows_take_a_third_of_the_bytes_and_people_see_numbers():
    losses = tuple(np.linspace(1, 2, 500).astype(np.float32).tolist())
    event = StepsDone(1, 1, (losses,), (0.1,), 0.0)
    assert len(dump(event)) < 0.35 * len(line(event))
    assert json.loads(line(event))["losses"][0] == list(losses)


@pytest.mark.parametrize("row", ['"AAA"', '"!"', '"AAAAAAA="', "3", '{"a":1}'])
def test_damaged_rows_are_refused(row):
    with pytest.raises(ValidationError):
        load_event("StepsDone", f'{{"first_step":1,"epoch":1,"losses":[{row}],"learning_rates":[],"elapsed_s":0.0}}')


def test_an_unknown_record_is_refused():
    with pytest.raises(KeyError):
        load_event("Stop", "{}")
    with pytest.raises(KeyError):
        load_command("Started", "{}")
    with pytest.raises(ValidationError):
        load_command("Step", '{"n": 1, "code": "x"}')
