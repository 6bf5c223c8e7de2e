"""Runs as lines through any settings and figures."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from core.run_table import complete, differing, is_number
from dashboard.figures.parallel_coordinates import alt_parallel, parallel_figure
from dashboard.text import _
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.runs_charts_columns import column_of, without
from dashboard.widgets.runs_table_data import csv_columns
from dashboard.widgets.runs_table_words import DEFAULT_FIGURE, label
from dashboard.widgets.table_file import csv_text

MOST_AXES, LEAST_AXES = 10, 2
FIRST_SETTINGS = 4
USUAL = ("data", "model", "optimizer", "lr", "batch_size")
FALLBACK = ("optimizer", "lr")
"""The first axes of runs with equal settings."""
PLAIN = ("state", "kind", "seed", "best_lane")
"""Not among the first axes."""


def parallel(rows: Sequence[RunRow], settings: Sequence[str], figures: Sequence[str], *, key: str) -> None:
    """The chart with its choice of axes and colour."""
    st.markdown(f"**{_('Settings and figures side by side')}**")
    st.caption(
        _("Each line is one run. Drag along an axis to keep only the runs that pass there; drag a name to move its axis.")
    )
    options = [*settings, *figures]
    result = DEFAULT_FIGURE if DEFAULT_FIGURE in figures else figures[0]
    widget, touched = f"{key}.axes", f"{key}.is_touched"
    usual = [*_first(rows, settings), result]
    if widget in st.session_state:  # until somebody chooses, the axes follow what tells the runs apart
        known = [field for field in st.session_state[widget] if field in options]
        st.session_state[widget] = known if st.session_state.get(touched) else usual
    axes = st.multiselect(
        _("Axes"),
        options,
        default=None if widget in st.session_state else usual,
        key=widget,
        on_change=lambda: st.session_state.update({touched: True}),
        format_func=label,
        max_selections=MOST_AXES,
        persist_state="session",
    )
    numbers = [field for field in (*figures, *settings) if is_number(rows, field)]
    colour = st.selectbox(
        _("Colour"),
        numbers,
        index=numbers.index(result) if result in numbers else 0,
        key=f"{key}.colour",
        format_func=label,
        persist_state="session",
        width=300,
    )
    if len(axes) < LEAST_AXES or colour is None:
        st.caption(_("Choose at least two axes."))
        return
    whole, words = without(rows, [*axes, colour])
    if whole:
        columns, shade = [column_of(whole, field) for field in axes], column_of(whole, colour)
        figure(parallel_figure(columns, shade, dark=is_dark()), key=f"{key}.lines", alt=alt_parallel(columns, shade))
    st.caption(words or _("All {n:,} runs are in the chart.").format(n=len(whole)))
    fields = tuple(dict.fromkeys(["name", *axes, colour]))
    st.download_button(
        _("Download these columns (CSV)"),
        lambda: csv_text(csv_columns(whole, fields)),
        "runs-columns.csv",
        "text/csv",
        key=f"{key}.csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _first(rows: Sequence[RunRow], settings: Sequence[str]) -> list[str]:
    """A few settings that differ and that all runs have, those that matter most first."""
    different = [
        field for field in differing(rows, settings) if field not in PLAIN and len(complete(rows, [field])) == len(rows)
    ]
    if not different:  # as of a fork and its twin from scratch
        return [field for field in FALLBACK if field in settings and len(complete(rows, [field])) == len(rows)]
    usual = [field for field in USUAL if field in different]
    return [*usual, *(field for field in different if field not in usual)][:FIRST_SETTINGS]
