"""What the address of the page says beside the experiment and the run.

From the session and not from the address itself, which Streamlit empties when another screen is opened.
"""

import streamlit as st

KEPT = "state.kept."
KEPT_IN_LINK = ("room", "own", "hide", "view")
"""The room that this visitor is in, whether on one's own there, what a lesson hides, and how all is shown."""


def kept(name: str) -> str:
    """What the address says, for a name of KEPT_IN_LINK; empty for nothing."""
    return str(st.session_state.get(KEPT + name, ""))


def keep(name: str, text: str) -> None:
    """Let the address say this from now on; nothing, where it is empty."""
    st.session_state[KEPT + name] = text
