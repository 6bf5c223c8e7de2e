"""The way of an experiment to other people and back: its link and its file."""

import streamlit as st

from core.errors import SpecError
from core.experiment.codec import file_text, from_file_text
from core.experiment.experiment import Experiment
from dashboard.session import state
from dashboard.session.run_now import changes_by_hand, repeatable
from dashboard.text import _
from dashboard.widgets.failure import problem
from dashboard.widgets.lesson import lesson_button

PROBLEM = "share.problem"
BOX = "share.box"


def share(experiment: Experiment) -> None:
    """A popover with the link in words, the experiment as a file, and a place for somebody else's file."""
    with st.popover(_("Share"), icon=":material/share:", key=BOX, on_change="rerun"):
        if state.fits_link():
            st.text(_("The address of this page holds the experiment and the run: copy it to share them."))
        else:
            st.text(_("This experiment is too large for an address: share it as a file."))
        st.download_button(
            _("Download experiment (JSON)"),
            file_text(experiment),
            "experiment.json",
            "application/json",
            key="share.download",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
        _with_changes()
        st.file_uploader(_("Open an experiment file"), "json", key="share.upload", on_change=_open, max_upload_size=1)
        if words := st.session_state.get(PROBLEM):
            problem(words)
        lesson_button(BOX)


def _with_changes() -> None:
    """The experiment of the present run together with what was changed by hand in it, so that it can be repeated."""
    record = state.run()
    if record is None or not changes_by_hand(record):
        return
    st.download_button(
        _("Download the run with my changes (JSON)"),
        lambda: file_text(repeatable(record)),
        "experiment-with-changes.json",
        "application/json",
        key="share.download_changes",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )


def _open() -> None:
    """Take the uploaded experiment in hand; a file that is none leaves everything as it is."""
    upload = st.session_state["share.upload"]
    st.session_state[PROBLEM] = ""
    if upload is None:
        return
    try:
        state.set_experiment(from_file_text(upload.getvalue()))
        state.set_run(None)
    except SpecError as error:
        st.session_state[PROBLEM] = str(error)
