"""What a lens has found to take home, as a file of arrays that numpy opens."""

import streamlit as st

from core.results.codec import result_bytes
from dashboard.text import _


def download_arrays(result: object, file_name: str, *, key: str, label: str = "", about: str | None = None) -> None:
    """A button that downloads a Result as NPZ. The page does not run again: a second button would lose its file by that.

    Args:
        label: what the button says, where it says more than that these are arrays.
        about: a word on what is in the file.
    """
    st.download_button(
        label or _("Download arrays (NPZ)"),
        lambda: result_bytes(result),
        file_name,
        key=key,
        icon=":material/download:",
        on_click="ignore",
        help=about,
    )
