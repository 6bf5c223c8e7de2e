"""From one screen to another: what was chosen here is looked at there."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

_PAGES = "links.pages"


def know_pages(pages: Mapping[str, Any]) -> None:
    """The pages of this script run, by name; the app says them before any screen is shown."""
    st.session_state[_PAGES] = dict(pages)


def open_screen(name: str) -> None:
    """Go to another screen at once. Call it after a button that was pressed, not in its callback."""
    pages = st.session_state.get(_PAGES, {})
    if name in pages:
        st.switch_page(pages[name])
