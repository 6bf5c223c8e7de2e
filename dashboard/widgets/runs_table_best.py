"""Which of the runs that are shown is the best, by a figure."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from core.run_table import best_of, figures_of, value_of
from dashboard.session.chosen_runs import choose
from dashboard.text import _
from dashboard.widgets.failure import plain
from dashboard.widgets.runs_table_words import DEFAULT_FIGURE, called, is_highest_best, label

FIGURE, HIGHEST = "runs.figure", "runs.is_highest"


def figure_and_sense(rows: Sequence[RunRow], *, key: str) -> tuple[str, bool] | None:
    """The figure by which runs are judged, and whether more of it is better; None where no run has one yet."""
    figures = figures_of(rows)
    if not figures:
        return None
    present = st.session_state.get(FIGURE, DEFAULT_FIGURE)
    widget, sense = f"{key}.figure", f"{key}.sense"

    def change() -> None:
        st.session_state[FIGURE] = st.session_state[widget]
        st.session_state[HIGHEST] = is_highest_best(st.session_state[widget])
        st.session_state[sense] = st.session_state[HIGHEST]

    def turn() -> None:
        st.session_state[HIGHEST] = st.session_state[sense]

    figure = st.selectbox(
        _("Judged by"),
        figures,
        index=figures.index(present) if present in figures else 0,
        key=widget,
        format_func=label,
        on_change=change,
        width=300,
    )
    is_highest = st.segmented_control(
        _("Best is"),
        (False, True),
        default=st.session_state.get(HIGHEST, is_highest_best(figure)),
        key=sense,
        required=True,
        format_func={False: _("lowest"), True: _("highest")}.__getitem__,
        on_change=turn,
    )
    return figure, bool(is_highest)


def best_picker(rows: Sequence[RunRow], *, key: str) -> None:
    """The best of the shown runs in a line, and a button that chooses it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.row"):
        asked = figure_and_sense(rows, key=key)
        if asked is None:
            return
        figure, is_highest = asked
        best = best_of(rows, figure, is_highest=is_highest)
        if best is None:
            st.text(_("None of these runs has it."))
            return
        words = _("Best: {run}, {value:.4g}").format(run=called(best), value=value_of(best, figure))
        st.button(
            plain(words),
            key=f"{key}.choose",
            icon=":material/trophy:",
            on_click=choose,
            args=((best.id,),),
            help=_("Chooses this run among the ones that are shown."),
        )
