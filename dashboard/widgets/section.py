"""The sections of a screen, of which one is shown."""

from collections.abc import Mapping

import streamlit as st

from dashboard.session import lesson
from dashboard.text import _


def section(screen: str, labels: Mapping[str, str], *, key: str, label: str | None = None) -> str:
    """Which section of the screen is shown: the first one, until another is chosen. A lesson may leave some of them out.

    Args:
        labels: the sections' names in the reader's language.
    """
    names = lesson.left(screen, labels)
    if st.session_state.get(key) not in (None, *names):  # this lesson has just hidden it
        del st.session_state[key]
    chosen = st.segmented_control(
        label or _("Section"),
        names,
        default=names[0],
        key=key,
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or names[0]
