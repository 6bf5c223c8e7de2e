"""An error in words, where the thing that failed would have been. Plain text: it may quote what a stranger sent."""

import re

import streamlit as st

from core.errors import LayerwiseError
from core.events import Failed
from dashboard.text import _

MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def failure(error: LayerwiseError | Failed) -> None:
    """What went wrong and what to do now."""
    with st.container(border=True):
        _badge()
        st.text(error.message)
        if error.hint:
            st.text(error.hint)


def problem(text: str) -> None:
    """A sentence about something that could not be done."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        _badge()
        st.text(text, width="stretch")


def toast(error: LayerwiseError) -> None:
    """A refusal, in passing: for callbacks, which have no place of their own."""
    st.toast(plain(str(error)), icon=":material/error:")


def plain(text: str) -> str:
    """Text for a widget that formats Markdown, which then shows it as it is."""
    return MARKDOWN.sub(lambda found: "\\" + found.group(), text)


def _badge() -> None:
    st.badge(_("This did not work"), icon=":material/error:", color="red")
