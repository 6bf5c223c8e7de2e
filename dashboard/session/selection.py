"""What is looked at on all screens: the example, the class and what it is held against, a layer, a unit, a moment of a run.

Plain data of one visitor. A number that the present data or model has not is treated as not chosen.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

EXAMPLE, SPLIT, MOMENT = "subject.example", "subject.split", "subject.moment"
TARGET, CONTRAST = "subject.target", "subject.contrast"
LAYER, UNIT, SERIES = "subject.layer", "subject.unit", "subject.series"
ALL = (EXAMPLE, SPLIT, MOMENT, TARGET, CONTRAST, LAYER, UNIT, SERIES)


def all_chosen() -> dict[str, Any]:
    """All that is chosen, by name; to be taken over by `take`."""
    found = {name: st.session_state.get(name) for name in ALL}
    return {name: list(value) if name == MOMENT else value for name, value in found.items() if value is not None}


def take(chosen: Mapping[str, Any]) -> None:
    """Choose all that somebody else has chosen, and nothing else. What is not of the right kind is treated as not chosen."""
    for name in ALL:
        value = chosen.get(name)
        is_right = _is_number(value)
        if name == SPLIT:
            is_right = isinstance(value, str)
        if name == MOMENT:
            is_right = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and _is_number(value[1])
            value = tuple(value) if is_right else None
        st.session_state[name] = value if is_right else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def split(known: tuple[str, ...]) -> str:
    """Where examples come from; the first of `known` where the chosen one is not among them."""
    chosen = st.session_state.get(SPLIT)
    return chosen if chosen in known else known[0]


def choose_split(chosen: str) -> None:
    """Examples come from here from now on; which one is open again."""
    st.session_state[SPLIT], st.session_state[EXAMPLE] = chosen, None


def example(size: int) -> int | None:
    """Index of the chosen example in its split of this size; None when none is chosen."""
    return _below(EXAMPLE, size)


def choose_example(split: str, index: int) -> None:
    """Look at this example on all screens."""
    st.session_state[SPLIT], st.session_state[EXAMPLE] = split, index


def is_split(split: str) -> bool:
    """Whether examples come from this split."""
    return bool(st.session_state.get(SPLIT) == split)


def target(n_classes: int) -> int | None:
    """The class to explain; None for the predicted one."""
    return _below(TARGET, n_classes)


def choose_target(chosen: int | None) -> None:
    st.session_state[TARGET] = chosen


def contrast(n_classes: int) -> int | None:
    """The class that the explained one is held against; None for none."""
    return _below(CONTRAST, n_classes)


def choose_contrast(chosen: int | None) -> None:
    st.session_state[CONTRAST] = chosen


def layer(n_layers: int) -> int | None:
    """Index of the chosen layer of the stack, from 0; None when none is chosen."""
    return _below(LAYER, n_layers)


def unit(n_units: int) -> int | None:
    """The chosen unit (a channel, a neuron, a head) of the chosen layer, from 0; None when none is chosen."""
    return _below(UNIT, n_units)


def choose_unit(layer: int, unit: int | None = None) -> None:
    """Look at this layer, and at one unit of it, in every panel."""
    st.session_state[LAYER], st.session_state[UNIT] = layer, unit


def series(n_series: int) -> int:
    """Which lane and seed of a race, as the number of its series."""
    return _below(SERIES, n_series) or 0


def choose_series(chosen: int) -> None:
    st.session_state[SERIES] = chosen


def moment(run: str) -> int | None:
    """The step whose weights are looked at; None for the newest ones of this run."""
    chosen = st.session_state.get(MOMENT)
    return int(chosen[1]) if chosen and chosen[0] == run else None


def choose_moment(run: str, step: int | None) -> None:
    """Look at the weights after this step of the run on all screens; None follows the newest ones."""
    st.session_state[MOMENT] = None if step is None else (run, step)


def _below(key: str, size: int) -> int | None:
    chosen: Any = st.session_state.get(key)
    return chosen if isinstance(chosen, int) and 0 <= chosen < size else None
