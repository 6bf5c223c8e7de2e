"""The grid of runs: sorted by a click on a header, chosen by a click on a row."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from dashboard.session.chosen_runs import choose, chosen
from dashboard.text import _
from dashboard.widgets.runs_table_data import csv_columns, fields_of, shown_columns, table, usual_fields
from dashboard.widgets.runs_table_words import label
from dashboard.widgets.table_file import csv_text

HEIGHT, FEW, ROW_PX = 420, 10, 35


def columns_chooser(rows: Sequence[RunRow], *, key: str) -> tuple[str, ...]:
    """Which columns there are; and the whole table to take along."""
    fields = fields_of(rows)
    widget = f"{key}.fields"
    known = [field for field in st.session_state.get(widget, ()) if field in fields]
    usual, touched = usual_fields(fields, rows), f"{key}.is_touched"
    if widget in st.session_state:  # until somebody chooses, the columns follow what there is to tell apart
        st.session_state[widget] = known if st.session_state.get(touched) else list(usual)
    with st.popover(_("Columns"), icon=":material/view_column:"):
        picked = st.multiselect(
            _("Columns of the table"),
            fields,
            default=None if widget in st.session_state else usual,
            key=widget,
            on_change=lambda: st.session_state.update({touched: True}),
            format_func=label,
            persist_state="session",
        )
        st.caption(_("All settings and figures of all runs can be columns. A click on a header sorts."))
    st.download_button(
        _("CSV"),
        lambda: csv_text(csv_columns(rows, fields)),
        "runs.csv",
        "text/csv",
        key=f"{key}.csv",
        help=_("All runs of this table with all their settings and figures, for a spreadsheet."),
        icon=":material/download:",
        on_click="ignore",
    )
    return tuple(picked) or ("name",)


def grid(rows: Sequence[RunRow], fields: Sequence[str], *, key: str) -> None:
    """The rows; what is chosen is marked, and a click on its left end chooses a row."""
    ids = [row.id for row in rows]
    wanted = [place for place, run in enumerate(ids) if run in set(chosen())]
    selection, drawn = f"{key}.rows", f"{key}.ids"

    def pick() -> None:
        """The places are those of the table that was on the screen then."""
        on_screen: list[str] = st.session_state.get(drawn, ids)
        places = [place for place in st.session_state[selection].selection.rows if place < len(on_screen)]
        hidden = [run for run in chosen() if run not in set(on_screen)]
        choose([*hidden, *(on_screen[place] for place in places)])

    state = st.session_state.get(selection)
    if state is not None and sorted(state["selection"]["rows"]) != wanted:
        st.session_state[selection] = {"selection": {"rows": wanted, "columns": [], "cells": []}}
    st.session_state[drawn] = ids
    if not rows:
        return
    st.dataframe(
        table(rows, fields, st.context.timezone),
        key=selection,
        hide_index=True,
        column_config=shown_columns(rows, fields),
        height=HEIGHT if len(rows) > FEW else "content",
        on_select=pick,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": wanted, "columns": [], "cells": []}} if state is None else None,
        placeholder="",  # a figure that is not there yet
        alt=_("Table of {n:,} runs.").format(n=len(rows)),
    )
