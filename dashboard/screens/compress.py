"""Make the trained model smaller, and see what that costs."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import compress_one, compress_sweep
from dashboard.widgets.subject import choose_weights

SECTIONS = {
    "one": compress_one.panel,
    "sweep": compress_sweep.panel,
}


def render() -> None:
    """The Compress screen."""
    subject = choose_weights(screen="compress")
    section = _section()
    SECTIONS[section](subject, key=f"compress.{section}")


def _section() -> str:
    labels = {
        "one": _("One model"),
        "sweep": _("Pruning sweep"),
    }
    chosen = st.segmented_control(
        _("Section"),
        list(SECTIONS),
        default="one",
        key="compress.section",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or "one"
