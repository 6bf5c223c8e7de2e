"""An example of the visitor's own: a picture from a file, or a drawing."""

import streamlit as st

from core.data.own.keep import keep_upload
from core.errors import LayerwiseError
from core.jobs.lenses import ExampleRef
from dashboard.components.digit_pad import digit_pad
from dashboard.session import resources
from dashboard.session.sender import sender
from dashboard.text import _
from dashboard.widgets.failure import toast

FILE, DRAWING = "subject.file", "subject.drawing"
"""Digests of the newest picture and the newest drawing, kept over all screens."""
OWN_SOURCES = ("file", "drawing")
PICTURES = ("png", "jpg", "jpeg", "webp", "bmp")


def source_labels() -> dict[str, str]:
    """The two sources, in words."""
    return {"file": _("Own image"), "drawing": _("Draw one")}


def own_image(source: str, *, screen: str) -> ExampleRef | None:
    """The widget of one of the two sources, and the picture it gave last; None before the first one."""
    is_drawn = source == "drawing"
    (_pad if is_drawn else _uploader)(screen)
    digest = st.session_state.get(DRAWING if is_drawn else FILE)
    if digest is None:
        st.info(
            _("Draw a picture to see what the network makes of it.") if is_drawn else _("Choose a picture."),
            icon=":material/info:",
        )
        return None
    st.caption(
        _("Inspect and Explain look at the last drawing.") if is_drawn else _("Inspect and Explain look at the last picture.")
    )
    return ExampleRef(file=digest, drawn=is_drawn)


def _uploader(screen: str) -> None:
    key = f"{screen}.upload"

    def taken() -> None:
        sent = st.session_state[key]
        if sent is not None:
            _keep(sent.getvalue(), sent.name, FILE)

    st.file_uploader(
        _("A picture of your own"), PICTURES, key=key, on_change=taken, help=_("It is brought to the size of the data.")
    )


def _pad(screen: str) -> None:
    digit_pad(key=f"{screen}.pad", on_draw=lambda picture: _keep(picture, "drawing.png", DRAWING))


def _keep(picture: bytes, name: str, place: str) -> None:
    """Keep a picture on the server; a refusal is said in a toast, since callbacks have no place of their own."""
    try:
        st.session_state[place] = keep_upload(picture, name, resources.settings(), sender()).digest
    except LayerwiseError as error:
        toast(error)
