"""Why did the model say that, and how far can the answer be trusted: one prediction, what if, all of them, and disagreement."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import disagreement, explain_global, explain_methods, what_if
from dashboard.widgets.compare import pin_button, side_by_side
from dashboard.widgets.explain_question import question
from dashboard.widgets.section import section
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
    with st.container(horizontal=True, vertical_alignment="bottom", key="explain.top"):
        chosen = _section()
        pin_button(subject, key="explain")
    asked = question(subject.experiment.data.profile(), key="explain")

    def panel(subject: Subject, *, key: str) -> None:
        SECTIONS[chosen](subject, asked, key=key)

    side_by_side(subject, panel, key=f"explain.{chosen}")


def _section() -> str:
    labels = {
        "one": _("This prediction"),
        "if": _("What if"),
        "all": _("All examples"),
        "differ": _("Disagreement"),
    }
    return section("explain", labels, key="explain.section")
