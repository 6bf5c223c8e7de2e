"""Why did the model say that, and how far can the answer be trusted: one prediction, all of them, what if, and disagreement."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import disagreement, explain_global, explain_methods, what_if
from dashboard.widgets.compare import side_by_side
from dashboard.widgets.explain_question import question
from dashboard.widgets.subject import Subject, choose_subject

SECTIONS = {
    "one": explain_methods.panel,
    "if": what_if.panel,
    "all": explain_global.panel,
    "differ": disagreement.panel,
}


def render() -> None:
    """The Explain screen."""
    subject = choose_subject(screen="explain")
    if subject is None:
        return
    labels = {
        "one": _("This prediction"),
        "if": _("What if"),
        "all": _("All examples"),
        "differ": _("Disagreement"),
    }
    chosen = st.segmented_control(
        _("Section"),
        list(SECTIONS),
        default="one",
        key="explain.section",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    asked = question(subject.experiment.data.profile(), key="explain")

    def panel(subject: Subject, *, key: str) -> None:
        SECTIONS[chosen or "one"](subject, asked, key=key)

    side_by_side(subject, panel, key=f"explain.{chosen}")
