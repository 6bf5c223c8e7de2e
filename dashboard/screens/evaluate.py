"""How good is it, on which examples not, and would that hold again: metrics, errors, robustness, cross-validation."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import evaluate_errors, evaluate_folds, evaluate_metrics, evaluate_robustness
from dashboard.widgets.subject import choose_weights

SECTIONS = {
    "metrics": evaluate_metrics.panel,
    "errors": evaluate_errors.panel,
    "robustness": evaluate_robustness.panel,
    "folds": evaluate_folds.panel,
}


def render() -> None:
    """The Evaluate screen."""
    subject = choose_weights(screen="evaluate")
    section = _section()
    SECTIONS[section](subject, key=f"evaluate.{section}")


def _section() -> str:
    labels = {
        "metrics": _("Metrics"),
        "errors": _("Errors"),
        "robustness": _("Robustness"),
        "folds": _("Cross-validation"),
    }
    chosen = st.segmented_control(
        _("Section"),
        list(SECTIONS),
        default="metrics",
        key="evaluate.section",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or "metrics"
