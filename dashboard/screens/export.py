"""The way out, with everything: script, weights, ONNX, service, report, bundle; and the way in."""

from dashboard.text import _
from dashboard.widgets import export_import, export_model, export_report, export_script
from dashboard.widgets.section import section
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
    chosen = _section()
    SECTIONS[chosen](subject, key=f"export.{chosen}")


def _section() -> str:
    labels = {
        "script": _("Training script"),
        "model": _("Model"),
        "report": _("Report and bundle"),
        "import": _("Import"),
    }
    return section("export", labels, key="export.section")
