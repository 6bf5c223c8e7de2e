"""Any setting against any figure, over many runs."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from core.run_table import differing, facts_of, figures_of
from dashboard.session import run_rows
from dashboard.session.chosen_runs import chosen
from dashboard.text import _, counted
from dashboard.widgets.runs_charts_parallel import parallel
from dashboard.widgets.runs_charts_scatter import scatter

LEAST = 2


def panel(*, key: str) -> None:
    """Any setting against any figure, over many runs."""
    rows = run_rows.rows()
    if not rows:
        st.info(_("No runs yet: press Train above, and come back with a few runs to compare."), icon=":material/scatter_plot:")
        return
    scope, others = _scope(rows, key)
    if len(scope) < LEAST <= len(others):
        words = _("Charts need at least two runs: choose more in the table, or take the other runs offered above.")
        st.info(words, icon=":material/scatter_plot:")
        return
    if not scope:
        words = _("The search or the filter of the table holds all runs back: change it there.")
        st.info(words, icon=":material/filter_alt_off:")
        return
    rows = scope
    settings, figures = _fields(rows)
    if len(rows) < LEAST or not figures:
        st.info(
            _("Charts need at least two runs with figures. Train a few that differ in one setting, such as the learning rate."),
            icon=":material/scatter_plot:",
        )
        return
    with st.container(border=True, key=f"{key}.card.parallel"):
        parallel(rows, settings, figures, key=f"{key}.parallel")
    with st.container(border=True, key=f"{key}.card.scatter"):
        scatter(rows, settings, figures, key=f"{key}.scatter")


def _scope(rows: tuple[RunRow, ...], key: str) -> tuple[tuple[RunRow, ...], tuple[RunRow, ...]]:
    """The chosen runs, or all that the filter of the table lets through; and behind them those that were not asked for."""
    picked, shown = run_rows.chosen_rows(rows), run_rows.shown(rows)
    words = {
        "chosen": counted("{n} chosen run", "{n} chosen runs", len(picked)),
        "shown": counted("{n} run that the table shows", "{n} runs that the table shows", len(shown)),
    }
    scope = st.segmented_control(
        _("Runs"),
        list(words),
        default="chosen" if len(chosen()) >= LEAST else "shown",
        key=f"{key}.scope",
        required=True,
        format_func=words.__getitem__,
        persist_state="session",
    )
    return (picked, shown) if scope == "chosen" else (shown, picked)


def _fields(rows: Sequence[RunRow]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Settings, those that differ first, and figures that are there."""
    facts = ("kind", "state", *facts_of(rows))
    different = differing(rows, facts)
    return (*different, *(name for name in facts if name not in different)), figures_of(rows)
