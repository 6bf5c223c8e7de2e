"""The run as a stand-alone training script that reproduces its curve."""

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import LayerwiseError
from core.events import Failed, Finished
from core.experiment.experiment import Experiment
from core.jobs.lenses import ExampleRef
from core.jobs.script_job import ScriptFilesJob, ScriptJob
from core.results.exported import ExportedFile
from core.results.script import Script
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import run_now, state
from dashboard.text import _, size_words
from dashboard.widgets.export_file import bytes_of
from dashboard.widgets.export_script_proof import proof
from dashboard.widgets.failure import failure
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

AT_ONCE = 5_000_000
"""Numbers of the training split up to which all files are packed without being asked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported: an experiment with all changes by hand, one of its series, and where the run ended by itself."""

    experiment: Experiment
    series: int
    last_step: int | None
    record: RunRecord | None

    def asked(self) -> dict[str, Any]:
        """The fields of a job that say which script; the moment and the example that are looked at have no part in it."""
        fields = {"experiment": self.experiment, "series": self.series, "last_step": self.last_step}
        return fields | {"weights": None, "example": ExampleRef()}


def panel(subject: Subject, *, key: str) -> None:
    """What the script is, its text, its files, and a proof."""
    record = state.run()
    if record is not None and record.kind == "compress":
        st.info(_("This model was made smaller, not trained: open the run that it comes from, and export that."))
        return
    try:
        source = source_of(subject, record)
    except LayerwiseError as error:
        failure(error)
        return
    st.text(_("Plain PyTorch that needs nothing of Layerwise: the same data, initial weights, batches and random numbers."))

    def show(script: Script) -> None:
        _exactness(script)
        _downloads(script, source, key)
        proof(source.record, source.asked(), script, key=f"{key}.proof")
        with st.expander(_("train.py, {n} lines").format(n=script.text.count("\n")), expanded=True, key=f"{key}.text"):
            st.code(script.text, language="python", line_numbers=True, wrap_lines=True)  # a box that scrolls has no keyboard

    look(ScriptJob(**source.asked()), Script, show, key=f"{key}.script")


def source_of(subject: Subject, record: RunRecord | None) -> Source:
    """What the script is written from.

    Raises:
        SpecError: more was changed by hand than an experiment can hold.
    """
    if record is None:
        return Source(subject.experiment, subject.series, None, None)
    return Source(run_now.repeatable(record), subject.series, _last_step(record), record)


def _last_step(record: RunRecord) -> int | None:
    """Where the run ended, unless it went to the end of its budget, broke off, or is not over yet."""
    if record.state in UNFINISHED:
        return None
    ends = run_now.events(record, "Finished", "Failed")
    end = ends[-1] if ends else None
    if isinstance(end, Failed) or (isinstance(end, Finished) and end.reason == "completed"):
        return None
    step = end.step if isinstance(end, Finished) else record.last_step
    return step or None


def _exactness(script: Script) -> None:
    st.caption(script.exactness)


def _downloads(script: Script, source: Source, key: str) -> None:
    """All files in one zip, the script alone, the notebook alone."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _archive(source, key)
        st.download_button(
            "train.py", script.text, "train.py", "text/x-python", key=f"{key}.train", icon=":material/code:", on_click="ignore"
        )
        st.download_button(
            "train.ipynb",
            script.notebook,
            "train.ipynb",
            "application/x-ipynb+json",
            key=f"{key}.notebook",
            icon=":material/menu_book:",
            on_click="ignore",
        )


def _archive(source: Source, key: str) -> None:
    profile = source.experiment.data.profile()
    wanted = f"{key}.is_wanted"
    if profile.n_train * math.prod(profile.input_shape) > AT_ONCE and not st.session_state.get(wanted):
        if st.button(_("Pack all files"), key=f"{key}.pack", icon=":material/folder_zip:"):
            st.session_state[wanted] = True
            st.rerun()
        return

    def show(found: ExportedFile) -> None:
        st.download_button(
            _("All files ({size})").format(size=size_words(found.n_bytes)),
            bytes_of(f"{key}.files", found.file),
            found.file,
            "application/zip",
            key=f"{key}.zip",
            icon=":material/folder_zip:",
            type="primary",
            help=found.check,
            on_click="ignore",
        )

    look(ScriptFilesJob(**source.asked()), ExportedFile, show, key=f"{key}.files")
