"""What stands in place of the controls where a run is somebody else's: whose it is, and two ways to an own one."""

import streamlit as st

from core.errors import LayerwiseError
from core.jobs.training import TrainJob
from core.store.protocol import RunRecord
from dashboard.session import lesson, resources, rooms, state
from dashboard.session.visitor import may_change
from dashboard.text import _
from dashboard.widgets.failure import toast
from dashboard.widgets.links import open_screen

FORK_BOX = "train.fork_box"
"""The key of the place on Train where a run is forked."""


def is_watching(record: RunRecord | None) -> bool:
    """Whether the run is somebody else's, so that it can be looked at alone."""
    return record is not None and not may_change(record)


def read_only(record: RunRecord, *, key: str) -> None:
    """The line, with the buttons that start an own run; who follows a room has such buttons in its bar."""
    with st.container(key=f"{key}.watching", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(_("Read only"), icon=":material/visibility:", color="gray")
        st.text(_("This run belongs to somebody else: you are watching."))
        if rooms.part() == "follow" and rooms.room() is not None:
            return
        forks = not (lesson.is_hidden("fork") or lesson.is_hidden("train")) and st.button(
            _("Fork it"),
            key=f"{key}.watching.fork",
            icon=":material/fork_right:",
            help=_("Goes on from a checkpoint of this run, in your own space."),
        )
        st.button(
            _("Train it yourself"),
            key=f"{key}.watching.train",
            icon=":material/play_arrow:",
            on_click=train_it,
            args=(record,),
            help=_("Trains the same experiment from its beginning, in your own space."),
        )
    if forks:
        st.session_state[FORK_BOX] = True
        open_screen("train")


def train_it(record: RunRecord) -> None:
    """Train the experiment of a run anew, as an own run, and look at it."""
    try:
        experiment = state.experiment_of(record.job)
        run = resources.client().submit(TrainJob(experiment=experiment))
    except LayerwiseError as error:
        toast(error)
        return
    state.set_experiment(experiment)
    state.set_run(run)
