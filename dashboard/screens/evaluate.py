"""How good is it, on which examples not, and would that hold again: metrics, errors, robustness, cross-validation."""

from dashboard.text import _
from dashboard.widgets import evaluate_errors, evaluate_folds, evaluate_metrics, evaluate_robustness
from dashboard.widgets.section import section
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
    chosen = _section()
    SECTIONS[chosen](subject, key=f"evaluate.{chosen}")


def _section() -> str:
    labels = {
        "metrics": _("Metrics"),
        "errors": _("Errors"),
        "robustness": _("Robustness"),
        "folds": _("Cross-validation"),
    }
    return section("evaluate", labels, key="evaluate.section")
