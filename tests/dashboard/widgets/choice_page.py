"""A form of a Menu with every sort of field, and one of a plain Spec, for AppTest."""

import sys
from pathlib import Path
from typing import Annotated, ClassVar, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import streamlit as st
from pydantic import Field

from core.models.init import AnyInit, TorchDefault
from core.spec import Choice, Spec, on_menu, parse_json
from dashboard.widgets.choice_form import choice_form, fields


class Own(Choice):
    """Something of the user's.

    More about it.
    """

    kind: Literal["own"] = "own"
    label: ClassVar[str] = "Own"
    is_ready_made: ClassVar[bool] = False
    digest: str


class Ready(Choice):
    """Something with every sort of field."""

    kind: Literal["ready"] = "ready"
    label: ClassVar[str] = "Ready"
    choice_labels: ClassVar[dict[str, str]] = {"x2": "x²"}
    features: Annotated[tuple[Literal["x", "y", "x2"], ...], Field(min_length=1)] = ("x", "y")
    """What goes in."""
    init: AnyInit | None = None
    """How it starts."""
    start: AnyInit = TorchDefault()
    """How it starts, always said."""
    name: str = Field("a", max_length=5)
    """What it is called."""
    mode: Literal["p", "q"] | None = None
    """How it is done."""
    width: int = Field(3, ge=1, le=9)
    """How wide."""


class Plain(Spec):
    """A Spec that is no Choice."""

    share: float = Field(0.5, ge=0.0, le=1.0, multiple_of=0.05)
    """How much."""


AnyThing = Annotated[Own | Ready, on_menu()]


def keep(thing: Spec) -> None:
    st.session_state[type(thing).__name__] = thing.model_dump_json()
    st.session_state["thing"] = thing.model_dump_json() if isinstance(thing, Choice) else st.session_state["thing"]


st.session_state.setdefault("thing", Ready().model_dump_json())
st.session_state.setdefault("Plain", Plain().model_dump_json())
choice_form(AnyThing, parse_json(AnyThing, st.session_state["thing"]), key="form", label="Thing", on_change=keep)
fields(parse_json(Plain, st.session_state["Plain"]), key="plain", on_change=keep)
