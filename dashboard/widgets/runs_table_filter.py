"""What of the runs is shown: words, states, kinds, data sets and tags."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.run_row import RunRow
from core.run_table import RunFilter, differing, facts_of
from dashboard.session import run_rows
from dashboard.text import _
from dashboard.widgets.runs_table_words import kind_label, label, state_label

MOST_LETTERS = 200
ALSO = ("tags", "kind", "state")


def filter_row(rows: Sequence[RunRow], *, key: str) -> str:
    """The filter; what is shown is kept for all panels of this screen. The field to group by, empty for none."""
    present = run_rows.run_filter()
    _text(present, key)
    n = sum(bool(values) for values in (present.states, present.kinds, present.data, present.tags))
    with st.popover(_("Filter") + (f" ({n})" if n else ""), icon=":material/filter_alt:", key=f"{key}.more"):
        _choice("states", _("State"), [row.state for row in rows], state_label, key)
        _choice("kinds", _("Kind"), [row.kind for row in rows], kind_label, key)
        _choice("data", _("Data set"), [str(row.facts["data"]) for row in rows if "data" in row.facts], str, key)
        _choice("tags", _("Any of the tags"), [tag for row in rows for tag in row.tags], str, key)
        st.button(_("Show all"), key=f"{key}.clear", on_click=_clear, args=(key,), disabled=present == RunFilter())
    by = st.selectbox(
        _("Group by"),
        ["", *_fields(rows)],
        key=f"{key}.by",
        format_func=lambda field: label(field) if field else _("nothing"),
        persist_state="session",
        width=220,
    )
    return by or ""


def _fields(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """What runs can be grouped by, first what tells them apart."""
    fields = (*ALSO, *facts_of(rows))
    different = differing(rows, fields)
    return (*different, *(field for field in fields if field not in different))


def _text(present: RunFilter, key: str) -> None:
    widget = f"{key}.text"

    def change() -> None:
        run_rows.set_filter(text=st.session_state[widget] or "")

    st.session_state.setdefault(widget, present.text)
    st.text_input(
        _("Search"),
        key=widget,
        max_chars=MOST_LETTERS,
        on_change=change,
        placeholder=_("name, tag, note, or a setting such as lr=0.01"),
        icon=":material/search:",
        help=_("Shows the runs in which every word is found: in name, tags, note, state or settings."),
    )


def _choice(field: str, name: str, values: Sequence[str], words: Callable[[str], str], key: str) -> None:
    """One list to choose from: what there is in the rows, and what was asked for."""
    widget = f"{key}.{field}"
    present: tuple[str, ...] = getattr(run_rows.run_filter(), field)

    def change() -> None:
        run_rows.set_filter(**{field: tuple(st.session_state[widget])})

    options: list[Any] = sorted({*values, *present})
    default = None if widget in st.session_state else present  # "Show all" has set it
    st.multiselect(name, options, default, key=widget, format_func=words, on_change=change)


def show_all(*, key: str) -> None:
    """What is said where nothing is left to show, and the way back. `key` is the one of the filter."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.nothing"):
        st.text(_("No run fits the search and the filter."), width="content")
        st.button(_("Show all runs"), key=f"{key}.again", on_click=_clear, args=(key,), icon=":material/filter_alt_off:")


def _clear(key: str) -> None:
    """All runs again."""
    run_rows.set_filter(text="", states=(), kinds=(), data=(), tags=())
    st.session_state[f"{key}.text"] = ""
    for field in ("states", "kinds", "data", "tags"):
        st.session_state[f"{key}.{field}"] = []
