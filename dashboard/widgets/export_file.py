"""One file to take along: what it is for, how it was checked, how large it is, and a button that downloads it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import streamlit as st

from core.jobs.lenses import LensJob
from core.results.exported import ExportedFile
from dashboard.session import resources
from dashboard.text import _, size_words
from dashboard.widgets.failure import plain
from dashboard.widgets.lens import ASKED, is_wanted, look, want

MIME = {"zip": "application/zip", "html": "text/html", "md": "text/markdown"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of file: its name, and in a line what it is for."""

    title: str
    purpose: str
    icon: str
    button: str = ""
    """What the button says that prepares it."""


def offered(offer: Offer, job: LensJob, file_name: str, *, key: str, at_once: bool = False) -> None:
    """A card with the file, which is prepared when it is asked for, or at once where it is cheap."""
    with card(offer, key=key):
        prepared(offer, job, file_name, key=key, at_once=at_once)


def card(offer: Offer, *, key: str) -> AbstractContextManager[object]:
    """The frame of a file, with its name and what it is for."""
    frame = st.container(border=True, key=f"{key}.card")
    frame.markdown(f"{offer.icon} **{offer.title}**")
    frame.caption(offer.purpose)
    return frame


def prepared(offer: Offer, job: LensJob, file_name: str, *, key: str, at_once: bool = False) -> None:
    """The file, or the button that prepares it."""
    if not at_once and not is_wanted(job, key=key):
        words = offer.button or _("Prepare")
        st.button(words, key=f"{key}.prepare", on_click=want, args=(job, key), icon=":material/build:")
        return
    look(job, ExportedFile, lambda found: _file(found, file_name, key), key=key)


def _file(found: ExportedFile, name: str, key: str) -> None:
    """What was found when the file was checked, and the file."""
    st.text(found.check)
    if found.difference is not None:
        st.text(difference_words(found))
    for note in found.notes:
        st.caption(plain(_("Not in it: {reason}").format(reason=note)))
    st.download_button(
        _("Download {name}, {size}").format(name=name, size=size_words(found.n_bytes)),
        bytes_of(key, found.file),
        name,
        MIME.get(name.rpartition(".")[2], "application/octet-stream"),
        key=f"{key}.download",
        icon=":material/download:",
        on_click="ignore",
        help=_("SHA-256 {digest}").format(digest=found.sha256),
    )


def difference_words(found: ExportedFile) -> str:
    """How near the file comes to torch, with its version where it has one."""
    if found.difference == 0:
        words = _("Its outputs are equal to those of torch, bit for bit.")
    else:
        words = _("Largest difference from torch's outputs: {difference:.1e}.").format(difference=found.difference)
    return f"{words} " + _("ONNX opset {opset}.").format(opset=found.opset) if found.opset else words


def bytes_of(key: str, file: str) -> Callable[[], bytes]:
    """Reads the artifact, of the run that was asked under `key`, only once somebody downloads it."""
    _job_key, run = st.session_state[ASKED + key]
    return lambda: resources.client().artifact_bytes(run, file)
