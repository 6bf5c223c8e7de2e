"""The way out, with everything: script, weights, ONNX, service, report, bundle; and the way in."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import export_import, export_model, export_report, export_script
from dashboard.widgets.subject import choose_weights

SECTIONS = {
    "script": export_script.panel,
    "model": export_model.panel,
    "report": export_report.panel,
    "import": export_import.panel,
}


def render() -> None:
    """The Export screen."""
    subject = choose_weights(screen="export")
    section = _section()
    SECTIONS[section](subject, key=f"export.{section}")


def _section() -> str:
    labels = {
        "script": _("Training script"),
        "model": _("Model"),
        "report": _("Report and bundle"),
        "import": _("Import"),
    }
    chosen = st.segmented_control(
        _("Section"),
        list(SECTIONS),
        default="script",
        key="export.section",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or "script"
