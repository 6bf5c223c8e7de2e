"""What can be done with the chosen runs: open, name, tag, annotate, delete with undo."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import LayerwiseError
from core.run_row import MAX_NAME, MAX_NOTE, RunRow
from dashboard.session import resources, run_rows, state
from dashboard.session.chosen_runs import choose, chosen
from dashboard.session.visitor import may_change_owned
from dashboard.text import _, counted
from dashboard.widgets.failure import failure, toast
from dashboard.widgets.links import open_screen
from dashboard.widgets.runs_table_bin import bring_back


def actions(rows: tuple[RunRow, ...], *, key: str) -> None:
    """The row of buttons under the table; all of them need chosen runs."""
    if not rows:
        st.caption(_("Choose rows at their left end to open, name, tag, compare or delete them."))
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.row"):
        _open(rows, key)
        if not all(may_change_owned(row.owner) for row in rows):
            st.caption(_("There are runs of others among these: you can look at them."))
            return
        _describe(rows, key)
        _tags(rows, key)
        n = counted("Delete {n} run", "Delete {n} runs", len(rows))
        st.button(n, key=f"{key}.delete", icon=":material/delete:", on_click=_delete, args=(rows,))


def undo_notice(rows: tuple[RunRow, ...], *, key: str) -> None:
    """After a delete: what went, what hangs on it, and the way back. `rows` are those that are left."""
    runs = run_rows.just_deleted()
    if not runs:
        return
    words = counted("{n} run went into the bin.", "{n} runs went into the bin.", len(runs))
    if n_made := sum(row.parent in runs for row in rows):
        words += " " + counted(
            "{n} run was made from it: it stays, and cannot be repeated once the bin is emptied.",
            "{n} runs were made from what is there: they stay, and cannot be repeated once the bin is emptied.",
            n_made,
        )
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"{key}.box"):
        st.text(words, width="stretch")
        st.button(_("Undo"), key=f"{key}.undo", icon=":material/undo:", on_click=bring_back, args=(runs,))
        st.button(_("Fine"), key=f"{key}.fine", type="tertiary", on_click=run_rows.set_just_deleted, args=((),))


def _open(rows: tuple[RunRow, ...], key: str) -> None:
    """One run becomes the present one, with its experiment."""
    pressed = st.button(
        _("Open the run"),
        key=f"{key}.open",
        icon=":material/open_in_new:",
        disabled=len(rows) != 1,
        help=_("Makes this the present run for all screens, and its experiment the one in hand.") if len(rows) == 1
        else _("Choose a single run to open it."),
    )  # fmt: skip
    if not pressed:
        return
    open_run(rows[0].id)


def open_run(run: str) -> None:
    """Make this the present run, with its experiment, and go where its curves are. Not in a callback."""
    record = resources.reader().run(run)
    try:
        if record is None:
            st.rerun()
        experiment = state.experiment_of(record.job)
    except LayerwiseError as error:
        failure(error)
        return
    state.set_experiment(experiment)
    state.set_run(record.id)
    open_screen("race" if len(experiment.lanes) > 1 else "train")


def _describe(rows: tuple[RunRow, ...], key: str) -> None:
    """Name and note of a single run."""
    with st.popover(_("Name and note"), icon=":material/edit:", disabled=len(rows) != 1, key=f"{key}.describe"):
        row = rows[0]
        name, note = f"{key}.{row.id}.name", f"{key}.{row.id}.note"

        def save() -> None:
            _try(lambda: resources.client().annotate(row.id, name=st.session_state[name], note=st.session_state[note]))

        with st.form(f"{key}.{row.id}.form", border=False):
            st.text_input(_("Name"), row.name, key=name, max_chars=MAX_NAME, placeholder=_("run {id}").format(id=row.id[:6]))
            st.text_area(_("Note"), row.note, key=note, max_chars=MAX_NOTE)
            st.form_submit_button(_("Save"), on_click=save, key=f"{key}.{row.id}.save")


def _tags(rows: tuple[RunRow, ...], key: str) -> None:
    """Tags for all chosen runs together."""
    ids = [row.id for row in rows]
    present = sorted({tag for row in rows for tag in row.tags})
    known = sorted({tag for row in run_rows.rows() for tag in row.tags} - set(present))
    added, removed = f"{key}.add", f"{key}.remove"

    def save() -> None:
        wanted = {"add": st.session_state[added], "remove": st.session_state[removed]}
        if _try(lambda: resources.client().tag(ids, **wanted)):
            st.session_state[added], st.session_state[removed] = [], []

    with st.popover(_("Tags"), icon=":material/sell:", key=f"{key}.tags"):
        help_words = _("Choose one, or type a new one and press Enter. Tags are told apart by upper and lower case.")
        st.multiselect(_("Add"), [*known, *present], key=added, accept_new_options=True, help=help_words)
        st.multiselect(_("Take away"), present, key=removed, disabled=not present)
        n = counted("Apply to {n} run", "Apply to {n} runs", len(ids))
        st.button(n, key=f"{key}.apply", on_click=save)


def _delete(rows: tuple[RunRow, ...]) -> None:
    """Into the bin; what has not ended stays, and is said."""
    try:
        gone = resources.client().delete([row.id for row in rows])
    except LayerwiseError as error:
        toast(error)
        return
    run_rows.set_just_deleted(gone.runs)
    choose(run for run in chosen() if run not in set(gone.runs))
    if gone.kept:
        n = counted(
            "{n} run has not ended and stays. Stop it first.",
            "{n} runs have not ended and stay. Stop them first.",
            len(gone.kept),
        )
        st.toast(n, icon=":material/info:")


def _try(act: Callable[[], Any]) -> bool:
    """Whether the supervisor took it; a refusal is said in passing."""
    try:
        act()
    except LayerwiseError as error:
        toast(error)
        return False
    return True
