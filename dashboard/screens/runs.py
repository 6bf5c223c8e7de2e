"""All runs: the table, charts over many of them, two or more side by side, and the tree of what was made from what."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import runs_charts, runs_compare, runs_table, runs_tree

SECTIONS = {
    "table": runs_table.panel,
    "charts": runs_charts.panel,
    "compare": runs_compare.panel,
    "tree": runs_tree.panel,
}


def render() -> None:
    """The Runs screen."""
    section = _section()
    SECTIONS[section](key=f"runs.{section}")


def _section() -> str:
    labels = {"table": _("Table and curves"), "charts": _("Charts"), "compare": _("Compare"), "tree": _("Tree and fork")}
    chosen = st.segmented_control(
        _("Section"),
        list(SECTIONS),
        default="table",
        key="runs.section",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or "table"
