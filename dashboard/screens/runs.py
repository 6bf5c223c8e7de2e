"""All runs: the table, charts over many of them, two or more side by side, and the tree of what was made from what."""

from dashboard.text import _
from dashboard.widgets import runs_charts, runs_compare, runs_table, runs_tree
from dashboard.widgets.section import section

SECTIONS = {
    "table": runs_table.panel,
    "charts": runs_charts.panel,
    "compare": runs_compare.panel,
    "tree": runs_tree.panel,
}


def render() -> None:
    """The Runs screen."""
    chosen = _section()
    SECTIONS[chosen](key=f"runs.{chosen}")


def _section() -> str:
    labels = {"table": _("Table and curves"), "charts": _("Charts"), "compare": _("Compare"), "tree": _("Tree and fork")}
    return section("runs", labels, key="runs.section")
