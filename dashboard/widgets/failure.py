"""An error in words, where the thing that failed would have been."""

import streamlit as st

from core.errors import LayerwiseError
from core.events import Failed
from dashboard.text import _


def problem(text: str) -> None:
    """A sentence about something that could not be done. Plain text: it may quote what a stranger sent."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.badge(_("This did not work"), icon=":material/error:", color="red")
        st.text(text, width="stretch")


def failure(error: LayerwiseError | Failed) -> None:
    """What went wrong and what to do now. Text only: nothing in it is formatted."""
    with st.container(border=True):
        st.badge(_("This did not work"), icon=":material/error:", color="red")
        st.text(error.message)
        if error.hint:
            st.text(error.hint)
