"""The view for a projector: large type, high contrast, few controls, and keys for what a presenter does."""

from pathlib import Path

import streamlit as st

from dashboard.session import view
from dashboard.text import _


def projector_button() -> None:
    """Goes to this view and back."""
    is_on = view.is_projector()
    st.button(
        _("Leave projector view") if is_on else _("Projector view"),
        key="header.projector",
        icon=":material/close_fullscreen:" if is_on else ":material/present_to_all:",
        type="tertiary",
        on_click=view.toggle_projector,
        shortcut="Alt+P",
        help=_("Large type, high contrast and few controls, for a room."),
    )


def projector_style(sheet: Path) -> None:
    """The style sheet of this view, while it is on."""
    if view.is_projector():
        st.html(sheet)
