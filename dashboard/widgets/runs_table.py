"""The table of all runs, and the curves of those that are chosen."""

import streamlit as st

from core.run_row import RunRow
from core.types import UNFINISHED
from dashboard.session import pace, run_rows
from dashboard.session.chosen_runs import choose, chosen
from dashboard.text import _, counted
from dashboard.widgets import runs_table_grid
from dashboard.widgets.runs_table_actions import actions, undo_notice
from dashboard.widgets.runs_table_best import best_picker
from dashboard.widgets.runs_table_bin import bin_button
from dashboard.widgets.runs_table_curves import curves
from dashboard.widgets.runs_table_filter import filter_row, show_all
from dashboard.widgets.runs_table_groups import groups_table

POLL_S = 2.0


def panel(*, key: str) -> None:
    """The table of all runs, and the curves of those that are chosen."""
    rows, binned = run_rows.rows_and_bin()
    undo_notice(rows, key=f"{key}.undo")
    if not rows:
        _empty(binned, key)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.tools"):
        by = filter_row(rows, key=f"{key}.filter")
        fields = runs_table_grid.columns_chooser(rows, key=f"{key}.columns")
        bin_button(binned, key=f"{key}.bin")
    picked = run_rows.chosen_rows(rows)
    if run_rows.shown(rows):
        _table(rows, fields, by, key)
    else:  # not in the fragment: what the button clears stands outside of it
        _counts(rows, (), key)
        show_all(key=f"{key}.filter")
        if not picked:
            return
    actions(picked, key=f"{key}.actions")
    curves(rows, key=f"{key}.curves")


def _empty(binned: tuple[RunRow, ...], key: str) -> None:
    words = (
        _("All runs are in the bin. Bring some back, or press Train above.")
        if binned
        else _(
            "No runs yet. Every run that you train stands here, to be compared, named, forked and exported: press Train above."
        )
    )
    st.info(words, icon=":material/table_rows:")
    bin_button(binned, key=f"{key}.bin")


def _table(rows: tuple[RunRow, ...], fields: tuple[str, ...], by: str, key: str) -> None:
    """The best, the groups and the table; while runs go on they are renewed without running the page again."""
    before, known = chosen(), [rows]

    def draw() -> None:
        now = known.pop() if known else run_rows.rows()  # at first what the page has just read
        shown = run_rows.shown(now)
        best_picker(shown, key=f"{key}.best")
        if by:
            groups_table(shown, by, key=f"{key}.groups")
        _counts(now, shown, key)
        runs_table_grid.grid(shown, fields, key=f"{key}.grid")
        if chosen() != before:  # what stands around the table shows what is chosen
            st.rerun()

    is_live = any(row.state in UNFINISHED for row in rows)
    st.fragment(draw, run_every=pace.every(POLL_S) if is_live else None, key=f"{key}.table")()


def _counts(rows: tuple[RunRow, ...], shown: tuple[RunRow, ...], key: str) -> None:
    """How many there are, are shown and are chosen."""
    ids = [row.id for row in shown]
    picked = set(chosen()) & {row.id for row in rows}
    hidden = len(picked - set(ids))
    words = [counted("{n} run", "{n} runs", len(rows))]
    if len(shown) < len(rows):
        words.append(_("{n:,} shown").format(n=len(shown)))
    words.append(_("{n:,} chosen").format(n=len(picked)))
    if hidden:
        words.append(_("{n:,} of these not shown by the filter").format(n=hidden))
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.counts"):
        st.caption(", ".join(words) + ".", width="content")
        st.button(_("Choose all shown"), key=f"{key}.all", type="tertiary", on_click=choose, args=(ids,), disabled=not ids)
        st.button(_("Choose none"), key=f"{key}.none", type="tertiary", on_click=choose, args=((),), disabled=not picked)
