"""Any Menu as knobs: pick a kind, set its fields; what comes out is a checked Choice."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.errors import SpecError
from core.spec import Choice, choices
from dashboard.components.fields import FieldView, fields_of
from dashboard.text import _
from dashboard.widgets.failure import toast

C = TypeVar("C", bound=Choice)
FIRST = 2
"""Fields of a Choice that are always in sight: the specs list the most important first."""


def choice_form(menu: Any, present: C, *, key: str, label: str, on_change: Callable[[C], None]) -> None:
    """A select box over the Menu and the fields of what is picked. The widgets always show `present`.

    `on_change` gets the new Choice; a newly picked kind comes with its defaults.
    """
    classes = {cls.kind_name(): cls for cls in choices(menu)}
    kind_key = f"{key}.kind"

    def pick() -> None:
        on_change(classes[st.session_state[kind_key]]())

    st.session_state[kind_key] = present.kind
    st.selectbox(
        label,
        list(classes),
        format_func=lambda kind: _(classes[kind].label),
        key=kind_key,
        on_change=pick,
        help=_(type(present).__doc__ or ""),
    )
    fields(present, key=key, on_change=on_change)


def fields(present: C, *, key: str, on_change: Callable[[C], None]) -> None:
    """The fields of one Choice; those that a beginner may leave alone are folded away."""
    views = fields_of(type(present))
    _rows(views[:FIRST], present, key, on_change)
    if views[FIRST:]:
        with st.expander(_("More settings"), key=f"{key}.more"):
            _rows(views[FIRST:], present, key, on_change)


def _rows(views: Sequence[FieldView], present: C, key: str, on_change: Callable[[C], None]) -> None:
    """Two a row."""
    for start in range(0, len(views), 2):
        for column, view in zip(st.columns(2), views[start : start + 2], strict=False):
            with column:
                _field(view, present, f"{key}.{present.kind}.{view.name}", on_change)


def _field(view: FieldView, present: C, key: str, on_change: Callable[[C], None]) -> None:
    """One widget, showing the present value."""

    def change() -> None:
        value = st.session_state[key]
        if value is None and not view.is_optional:
            return  # the field was emptied, or held no number: it goes back to the present value
        try:
            on_change(present.but(**{view.name: view.clamp(value)}))
        except SpecError as error:  # two fields that do not go together; the widget goes back to the present value
            toast(error)

    value = getattr(present, view.name)
    label, help_text = _(view.label).capitalize(), _(view.help)
    st.session_state[key] = value
    if view.kind == "bool":
        st.checkbox(label, key=key, on_change=change, help=help_text)
    elif view.kind == "choice":
        st.selectbox(label, view.choices, key=key, on_change=change, help=help_text)
    elif view.kind == "int":
        low = int(view.min) if view.min is not None else None
        high = int(view.max) if view.max is not None else None
        st.number_input(label, low, high, None, step=int(view.step or 1), key=key, on_change=change, help=help_text)
    else:
        low = float(view.min) if view.min is not None else None
        high = float(view.max) if view.max is not None else None
        st.number_input(
            label,
            low,
            high,
            None,
            step=float(view.step or tenth(value)),
            format="%g",
            key=key,
            on_change=change,
            help=help_text,
        )


def tenth(value: float | None) -> float:
    """A step for a number of any size: a tenth of its power of ten."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01
