"""Which explanation methods a visitor looks at, and with which settings: the same in all panels. Plain text, parsed on read."""

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from core.errors import SpecError
from core.spec import Choice, parse_json

C = TypeVar("C", bound=Choice)
SHOWN = "methods.shown."
SETTINGS = "methods.settings."


def shown(modality: str, offered: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Kinds of the methods that are looked at, out of those offered here; at first the usual ones, else the first three."""
    first = [kind for kind in offered if kind in usual] or list(offered[:3])
    chosen = st.session_state.get(SHOWN + modality)
    return first if chosen is None else [kind for kind in offered if kind in chosen]


def choose_shown(modality: str, kinds: Sequence[str], offered: Sequence[str]) -> None:
    """Look at these of the offered ones; what was chosen of others, for another model, stays chosen."""
    others = [kind for kind in st.session_state.get(SHOWN + modality) or () if kind not in offered]
    st.session_state[SHOWN + modality] = [*others, *kinds]


def as_set(method: type[C]) -> C:
    """The method with the visitor's settings."""
    text = st.session_state.get(SETTINGS + method.kind_name())
    try:
        return parse_json(method, text) if text else method()
    except SpecError:
        return method()


def keep(method: Choice) -> None:
    """These are the settings of this method from now on."""
    st.session_state[SETTINGS + method.kind] = method.model_dump_json()


def forget(kind: str) -> None:
    """Back to the usual settings of a method."""
    st.session_state.pop(SETTINGS + kind, None)


def is_changed(method: Choice) -> bool:
    """Whether its settings are others than the usual ones."""
    return bool(method != type(method)())
