"""Any Menu as knobs: pick a kind, set its fields; what comes out is a checked Choice. Any other Spec: its fields alone."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.errors import SpecError
from core.spec import Choice, Spec, choices
from dashboard.components.fields import FieldView, fields_of, option_of, translated
from dashboard.text import _
from dashboard.widgets.failure import toast

C = TypeVar("C", bound=Choice)
S = TypeVar("S", bound=Spec)
FIRST = 2
"""Fields that are always in sight: the specs list the most important first."""

NOTHING = ""
"""Stands for None in a select box, which takes None for "nothing picked yet"."""

Change = Callable[[object], None]
"""Takes the new value of a field, as JSON."""


def choice_form(menu: Any, present: C, *, key: str, label: str, on_change: Callable[[C], None]) -> None:
    """A select box over the Menu and the fields of what is picked. The widgets always show `present`.

    `on_change` gets the new Choice; a newly picked kind comes with its defaults. What needs something of the user's first
    stands in the list only while it is picked.
    """
    classes = {cls.kind_name(): cls for cls in choices(menu) if cls.is_ready_made or cls is type(present)}
    kind_key = f"{key}.kind"

    def pick() -> None:
        kind = st.session_state[kind_key]
        if kind != present.kind:
            on_change(classes[kind]())

    st.session_state[kind_key] = present.kind
    st.selectbox(
        label,
        list(classes),
        format_func=lambda kind: translated(classes[kind].label),
        key=kind_key,
        on_change=pick,
        help=translated(option_of(type(present)).help),
    )
    fields(present, key=key, on_change=on_change)


def fields(present: S, *, key: str, on_change: Callable[[S], None], without: Collection[str] = ()) -> None:
    """The fields of one Spec; those that a beginner may leave alone are folded away. Toggles always are in sight.

    `without` names fields that are set elsewhere.
    """
    known = [view for view in fields_of(type(present)) if view.name not in without]
    toggles = [view for view in known if view.kind == "flags"]
    views = [view for view in known if view.kind != "flags"]
    _rows(views[:FIRST], present, key, on_change)
    for view in toggles:
        _rows([view], present, key, on_change)
    if views[FIRST:]:
        with st.expander(_("More settings"), key=f"{key}.more"):
            _rows(views[FIRST:], present, key, on_change)


def _rows(views: Sequence[FieldView], present: S, key: str, on_change: Callable[[S], None]) -> None:
    """Two a row."""

    def changed(view: FieldView) -> Change:
        def change(value: object) -> None:
            try:
                on_change(present.but(**{view.name: value}))
            except SpecError as error:  # two fields that do not go together; the widget goes back to the present value
                toast(error)

        return change

    prefix = f"{key}.{getattr(present, 'kind', 'spec')}"
    for start in range(0, len(views), 2):
        n_columns = 1 if views[start].kind == "flags" else 2
        for column, view in zip(st.columns(n_columns), views[start : start + 2], strict=False):
            with column:
                value = getattr(present, view.name)
                _field(view, view.clamp(value) if view.kind == "menu" else value, f"{prefix}.{view.name}", changed(view))


def _field(view: FieldView, value: Any, key: str, change: Change) -> None:
    """The widget of one field, showing the present value."""
    if view.kind in ("menu", "choice"):
        (_menu if view.kind == "menu" else _select)(view, value, key, change)
        return

    def changed() -> None:
        given = st.session_state[key]
        if (given is None and not view.is_optional) or (view.kind == "flags" and len(given) < view.min_length):
            return  # the field was emptied, or held no number: it goes back to the present value
        change(view.clamp(given))

    st.session_state[key] = list(value) if view.kind == "flags" else value
    common = {"key": key, "on_change": changed, "help": translated(view.help)}
    label = _headline(view.label)
    match view.kind:
        case "bool":
            st.checkbox(label, **common)
        case "flags":
            st.pills(label, view.choices, selection_mode="multi", format_func=view.said, **common)
        case "text":
            st.text_input(label, max_chars=view.max_length, **common)
        case _:
            st.number_input(label, **_bounds(view, value), **common)


def _headline(label: str) -> str:
    """The label with a large first letter; the others stay, as in PCA."""
    words = translated(label)
    return words[:1].upper() + words[1:]


def _bounds(view: FieldView, value: float | None) -> dict[str, Any]:
    """How a number input is bounded; emptied, its value is None."""
    of, step, shown = (int, view.step or 1, None) if view.kind == "int" else (float, view.step or tenth(value), "%g")
    low = None if view.min is None else of(view.min)
    high = None if view.max is None else of(view.max)
    return {"min_value": low, "max_value": high, "value": None, "step": of(step), "format": shown}


def _select(view: FieldView, value: Any, key: str, change: Change) -> None:
    """One of several values."""

    def changed() -> None:
        given = st.session_state[key]
        change(None if given == NOTHING else view.clamp(given))

    st.session_state[key] = NOTHING if value is None else value
    st.selectbox(
        _headline(view.label),
        [NOTHING, *view.choices] if view.is_optional else list(view.choices),
        format_func=lambda choice: _("none") if choice == NOTHING else view.said(choice),
        key=key,
        on_change=changed,
        help=translated(view.help),
    )


def _menu(view: FieldView, value: dict[str, Any] | None, key: str, change: Change) -> None:
    """A Menu that is a field: which one, and below it the fields of that one."""
    present = view.option(value["kind"]) if value else None
    offered = {option.kind: option for option in view.options if option.is_ready_made or option is present}
    kind_key = f"{key}.kind"

    def pick() -> None:
        kind = st.session_state[kind_key]
        if kind == NOTHING:
            change(None)
        elif present is None or kind != present.kind:
            change(offered[kind].clamp({}))

    st.session_state[kind_key] = present.kind if present else NOTHING
    st.selectbox(
        _headline(view.label),
        [NOTHING, *offered] if view.is_optional else list(offered),
        format_func=lambda kind: _("as the model") if kind == NOTHING else translated(offered[kind].label),
        key=kind_key,
        on_change=pick,
        help=translated(present.help if present else view.help),
    )
    for inner in present.fields if present and value else ():
        changed = _changed_inside(value or {}, inner.name, change)
        _field(inner, (value or {})[inner.name], f"{key}.{present and present.kind}.{inner.name}", changed)


def _changed_inside(value: dict[str, Any], name: str, change: Change) -> Change:
    return lambda given: change(value | {name: given})


def tenth(value: float | None) -> float:
    """A step for a number of any size: a tenth of its power of ten."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01
