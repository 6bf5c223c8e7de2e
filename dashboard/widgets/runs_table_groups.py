"""Runs by the value of a setting: how many, how good the best is, and how good they are on the mean."""

from collections.abc import Sequence

import streamlit as st

from core.run_row import RunRow
from core.run_table import groups
from dashboard.session.chosen_runs import choose
from dashboard.text import _
from dashboard.widgets.runs_table_best import FIGURE, HIGHEST
from dashboard.widgets.runs_table_words import DEFAULT_FIGURE, is_highest_best, kind_label, label, state_label


def groups_table(rows: Sequence[RunRow], by: str, *, key: str) -> None:
    """One row per group, the best one first; choosing groups chooses their runs."""
    figure = st.session_state.get(FIGURE, DEFAULT_FIGURE)
    found = groups(rows, by, figure, is_highest=st.session_state.get(HIGHEST, is_highest_best(figure)))
    words = {"state": state_label, "kind": kind_label}.get(by, str)
    widget = f"{key}.{by}.rows"

    def pick() -> None:
        places = [place for place in st.session_state[widget].selection.rows if place < len(found)]
        choose(run for place in places for run in found[place].runs)

    columns = {
        label(by): [words(group.value) or _("(none)") for group in found],
        _("Runs"): [len(group.runs) for group in found],
        _("Best"): [group.best for group in found],
        _("Mean"): [group.mean for group in found],
        _("Runs with a value"): [group.n_known for group in found],
    }
    st.dataframe(
        columns,
        key=widget,
        hide_index=True,
        on_select=pick,
        selection_mode="multi-row",
        height=240 if len(found) > 5 else "content",
        alt=_("Runs grouped by {field}.").format(field=label(by)),
    )
    st.caption(_("{figure}: best and mean of each group. Choose groups to choose their runs.").format(figure=label(figure)))
