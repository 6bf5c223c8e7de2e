"""Runs as dots: any setting or figure against any other."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from dashboard.figures.runs_scatter import Dots, alt_scatter, scatter_figure
from dashboard.session.chosen_runs import choose
from dashboard.text import _
from dashboard.widgets.figure import is_dark, sized
from dashboard.widgets.runs_charts_columns import column_of, without
from dashboard.widgets.runs_table_words import DEFAULT_FIGURE, called, label

WIDTH = 260
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}


def scatter(rows: Sequence[RunRow], settings: Sequence[str], figures: Sequence[str], *, key: str) -> None:
    """The chart with its choice of axes; clicking dots, or drawing around them, chooses their runs."""
    st.markdown(f"**{_('One against another')}**")
    st.caption(_("Each dot is one run. Click one, or draw a box around several, and they are the chosen ones."))
    options = [*settings, *figures]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.controls"):
        x = _field(_("Across"), options, "lr" if "lr" in options else options[0], f"{key}.x")
        y = _field(_("Up"), options, DEFAULT_FIGURE if DEFAULT_FIGURE in figures else figures[0], f"{key}.y")
        colour = _field(_("Colour"), ["", *options], "optimizer" if "optimizer" in options else "", f"{key}.colour")
        log_x = st.toggle(_("Log x"), value=x == "lr", key=f"{key}.log_x.{x}")
        log_y = st.toggle(_("Log y"), key=f"{key}.log_y.{y}")
    whole, words = without(rows, [field for field in (x, y, colour) if field])
    if whole:
        shade = column_of(whole, colour) if colour else None
        names = tuple(called(row) for row in whole)
        dots = Dots(tuple(row.id for row in whole), names, column_of(whole, x), column_of(whole, y), shade)
        _drawn(dots, log_x, log_y, key)
    st.caption(words or _("All {n:,} runs are in the chart.").format(n=len(whole)))


def _field(name: str, options: Sequence[str], first: str, key: str) -> str:
    chosen = st.selectbox(
        name,
        options,
        index=list(options).index(first),
        key=key,
        format_func=lambda field: label(field) if field else _("nothing"),
        persist_state="session",
        width=WIDTH,
    )
    return chosen or ""


def _drawn(dots: Dots, log_x: bool, log_y: bool, key: str) -> None:
    widget = f"{key}.dots"

    def pick() -> None:
        points = st.session_state[widget].selection.points
        found = [str(point["customdata"][0]) for point in points if point.get("customdata")]
        if found:
            choose(run for run in found if run in dots.runs)

    st.plotly_chart(
        sized(scatter_figure(dots, log_x=log_x, log_y=log_y, dark=is_dark())),
        key=widget,
        theme=None,
        config=CONFIG,
        alt=alt_scatter(dots),
        on_select=pick,
        selection_mode=("points", "box", "lasso"),
    )
