"""The bin: deleted runs, which can be brought back until they are swept away."""

import streamlit as st

from core.errors import LayerwiseError
from core.run_row import RunRow
from dashboard.session import resources, run_rows
from dashboard.text import _, counted
from dashboard.widgets.failure import toast
from dashboard.widgets.runs_table_data import table
from dashboard.widgets.runs_table_words import label

FIELDS = ("name", "data", "optimizer", "best_validation_loss")


def bin_button(rows: tuple[RunRow, ...], *, key: str) -> None:
    """A button that opens the bin, where there is anything in it."""
    if not rows:
        return
    ids = [row.id for row in rows]
    widget = f"{key}.rows"

    def restore() -> None:
        places = st.session_state[widget].selection.rows if widget in st.session_state else []
        bring_back(tuple(ids[place] for place in places if place < len(ids)))

    with st.popover(_("Bin ({n})").format(n=f"{len(rows):,}"), icon=":material/delete:", key=f"{key}.open"):
        days = resources.settings().bin_days
        st.caption(
            _(
                "Deleted runs stay here for {days:g} days, then they go with their files. Choose rows to bring runs back."
            ).format(days=days)
        )
        columns = {label(field): values for field, values in table(rows, FIELDS).items()}
        st.dataframe(columns, key=widget, hide_index=True, on_select="rerun", selection_mode="multi-row")
        places = st.session_state[widget].selection.rows if widget in st.session_state else []
        with st.container(horizontal=True):
            st.button(_("Restore"), key=f"{key}.restore", icon=":material/undo:", on_click=restore, disabled=not places)
            _empty(len(rows), key)


def _empty(n: int, key: str) -> None:
    """Twice, since there is no way back."""
    asked = f"{key}.is_sure"
    if not st.session_state.get(asked):
        st.button(_("Empty the bin"), key=f"{key}.empty", on_click=lambda: st.session_state.update({asked: True}))
        return
    words = counted("Delete {n} run for good", "Delete {n} runs for good", n)
    st.button(words, key=f"{key}.sure", type="primary", icon=":material/delete_forever:", on_click=_sweep, args=(asked,))
    st.button(_("Keep them"), key=f"{key}.keep", on_click=lambda: st.session_state.update({asked: False}))


def _sweep(asked: str) -> None:
    st.session_state[asked] = False
    run_rows.set_just_deleted(())
    try:
        swept = resources.client().empty_bin()
    except LayerwiseError as error:
        toast(error)
        return
    if swept.kept:
        n = counted("{n} run", "{n} runs", len(swept.kept))
        st.toast(_("{n} stayed: an unfinished run needs their checkpoints.").format(n=n), icon=":material/info:")


def bring_back(runs: tuple[str, ...]) -> None:
    """Out of the bin again."""
    if not runs:
        return
    try:
        resources.client().restore(runs)
    except LayerwiseError as error:
        toast(error)
        return
    run_rows.set_just_deleted(tuple(run for run in run_rows.just_deleted() if run not in runs))
