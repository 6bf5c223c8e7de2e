"""Bring in data of one's own: a file or a folder, a look at what is in it, and the choices that make a data set of it."""

from collections.abc import Callable
from dataclasses import astuple

import streamlit as st

from core.data.dataset import DatasetChoice
from core.data.own.keep import Upload, keep_upload
from core.data.own.kinds import ENDINGS
from core.data.own.reading.archives import zipped_folder
from core.errors import LayerwiseError, SpecError
from core.jobs.data_lenses import UploadPreviewJob
from core.results.upload_preview import UploadPreview
from dashboard.session import resources
from dashboard.session.sender import sender
from dashboard.text import _
from dashboard.widgets.failure import failure
from dashboard.widgets.findings import LOOK
from dashboard.widgets.lens import look
from dashboard.widgets.own_data_forms import images_form, table_form

UPLOAD, PROBLEM = "data.own.upload", "data.own.problem"
FILE, FOLDER = "data.own.file", "data.own.folder"
PICTURES = [ending for ending, kind in ENDINGS.items() if kind == "image"]
Use = Callable[[DatasetChoice], None]


def own_data(on_use: Use) -> None:
    """The uploaders; below them what the newest upload holds, and a button that hands a data set of it to `on_use`."""
    _uploaders()
    if told := st.session_state.get(PROBLEM):
        failure(SpecError(told[0], hint=told[1]))
    kept = st.session_state.get(UPLOAD)
    if kept is None:
        return
    upload = Upload(*kept)

    def show(preview: UploadPreview) -> None:
        _show(preview, on_use)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(_("{name}, {size:,.1f} kB").format(name=upload.name, size=upload.n_bytes / 1000), width="stretch")
        st.button(_("Put away"), key="data.own.forget", on_click=_forget, icon=":material/close:")
    look(UploadPreviewJob(file=upload.digest, name=upload.name), UploadPreview, show, key="data.own.preview")


def _uploaders() -> None:
    """One for a file, one for a folder; both keep what they get, and neither looks deep into it."""
    limit = resources.settings().upload_mb
    file, folder = st.columns(2)
    with file:
        st.file_uploader(
            _("A table (CSV), arrays (NPZ), or images by class (ZIP)"),
            list(ENDINGS),
            key=FILE,
            on_change=_take_file,
            max_upload_size=limit,
            help=_("Names of columns stand in the first line of a table. A ZIP file holds a folder of images for each class."),
        )
    with folder:
        st.file_uploader(
            _("A folder with one folder of images for each class"),
            PICTURES,
            accept_multiple_files="directory",
            key=FOLDER,
            on_change=_take_folder,
            max_upload_size=limit,
            help=_("The names of the inner folders are the classes."),
        )


def _take_file() -> None:
    sent = st.session_state[FILE]
    if sent is not None:
        _take(lambda: (sent.getvalue(), sent.name))


def _take_folder() -> None:
    sent = st.session_state[FOLDER]
    if sent:
        name = sent[0].name.replace("\\", "/").partition("/")[0] or "folder"
        _take(lambda: (zipped_folder(((part.name, part.getvalue()) for part in sent), resources.settings()), f"{name}.zip"))


def _take(sent: Callable[[], tuple[bytes, str]]) -> None:
    """Keep what was sent; what is wrong with it is said where it would have stood."""
    _forget()
    try:
        data, name = sent()
        upload = keep_upload(data, name, resources.settings(), sender())
        if upload.kind == "image":
            raise SpecError(
                _("{name} is one picture, which is no data set.").format(name=upload.name),
                hint=_(
                    "Put a folder of images for each class into a ZIP file. To see a model judge one picture, go to Inspect."
                ),
            )
        st.session_state[UPLOAD] = astuple(upload)
    except LayerwiseError as error:
        st.session_state[PROBLEM] = (error.message, error.hint)


def _forget() -> None:
    st.session_state[UPLOAD] = st.session_state[PROBLEM] = None


def _show(preview: UploadPreview, on_use: Use) -> None:
    """What was found, what is in it, and the form."""
    for severity, message, hint in zip(preview.severities, preview.messages, preview.hints, strict=True):
        icon, color, words = LOOK[severity]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge(_(words), icon=icon, color=color)  # type: ignore[arg-type]
            st.text(f"{message} {hint}", width="stretch")
    if preview.kind == "images":
        images_form(preview, on_use)
    else:
        table_form(preview, on_use)
