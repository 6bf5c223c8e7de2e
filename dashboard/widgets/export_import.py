"""A bundle of another machine gives its run back."""

import streamlit as st

from core.errors import LayerwiseError, SpecError
from core.experiment.codec import from_file_text
from core.jobs.bundle_jobs import BundleLookJob, keep_bundle
from core.jobs.imported_run import ImportedRunJob
from core.results.exported import BundleFound
from dashboard.session import resources, state
from dashboard.session.sender import sender
from dashboard.text import _, counted, size_words
from dashboard.widgets.failure import failure, plain, toast
from dashboard.widgets.lens import look
from dashboard.widgets.links import open_screen
from dashboard.widgets.subject import Subject

MAX_NAME = 200


def panel(subject: Subject, *, key: str) -> None:
    """An uploader, what was found in the bundle, and a button that imports its run and opens it."""
    st.text(_("A bundle of any Layerwise gives its run back as it was there: curves, log and weights, bit for bit."))
    st.file_uploader(
        _("A bundle (ZIP)"),
        ["zip"],
        key=f"{key}.upload",
        on_change=_keep,
        args=(key,),
        max_upload_size=resources.settings().upload_mb,
    )
    if told := st.session_state.get(f"{key}.problem"):
        failure(SpecError(told[0], hint=told[1]))
    kept: tuple[str, str] | None = st.session_state.get(f"{key}.kept")
    if kept is None:
        return
    st.caption(_("Every digest, event and checkpoint in it is checked first."))
    look(BundleLookJob(file=kept[0], name=kept[1]), BundleFound, lambda found: _found(found, kept[1], key), key=f"{key}.look")


def _keep(key: str) -> None:
    """Keep the uploaded bundle after a first look; what is wrong with it is said below."""
    upload = st.session_state[f"{key}.upload"]
    st.session_state[f"{key}.problem"] = st.session_state[f"{key}.kept"] = None
    if upload is None:
        return
    try:
        name = upload.name[:MAX_NAME]
        st.session_state[f"{key}.kept"] = (keep_bundle(upload.getvalue(), name, resources.settings(), sender()), name)
    except LayerwiseError as error:
        st.session_state[f"{key}.problem"] = (error.message, error.hint)


def _found(found: BundleFound, file_name: str, key: str) -> None:
    """What the bundle holds, and the button that brings it in."""
    with st.container(border=True):
        st.markdown(f"**{plain(found.name or _('A run without a name'))}**")
        for line in found_words(found):
            st.text(line)
        if st.button(_("Import this run"), key=f"{key}.take", type="primary", icon=":material/input:"):
            _take(found, file_name)


def found_words(found: BundleFound) -> list[str]:
    """What the bundle holds, line by line."""
    what = _("{steps}, {epochs}, {checkpoints}, {events}; {size}")
    lines = [
        what.format(
            steps=counted("{n} step", "{n} steps", found.n_steps),
            epochs=counted("{n} epoch", "{n} epochs", found.n_epochs),
            checkpoints=counted("{n} checkpoint", "{n} checkpoints", found.n_checkpoints),
            events=counted("{n} event", "{n} events", found.n_events),
            size=size_words(found.n_bytes),
        ),
        _("Run {run} there, state {state}; written by Layerwise {version}.").format(
            run=found.run[:12], state=found.state, version=found.made_by
        ),
    ]
    if found.extras:
        lines.append(_("It brings {extras}.").format(extras=", ".join(found.extras)))
    return lines


def _take(found: BundleFound, file_name: str) -> None:
    """Import the run, and look at it."""
    try:
        experiment = from_file_text(found.experiment)
        job = ImportedRunJob(file=found.file, name=file_name, experiment=experiment)
        run = resources.client().submit(job, name=found.name)
    except LayerwiseError as error:
        toast(error)
        return
    state.set_experiment(experiment)
    state.set_run(run)
    open_screen("race" if len(experiment.lanes) > 1 else "train")
