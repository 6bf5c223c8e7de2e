"""Make the trained model smaller, and see what that costs."""

from dashboard.text import _
from dashboard.widgets import compress_one, compress_sweep
from dashboard.widgets.section import section
from dashboard.widgets.subject import choose_weights

SECTIONS = {
    "one": compress_one.panel,
    "sweep": compress_sweep.panel,
}


def render() -> None:
    """The Compress screen."""
    subject = choose_weights(screen="compress")
    chosen = _section()
    SECTIONS[chosen](subject, key=f"compress.{chosen}")


def _section() -> str:
    labels = {
        "one": _("One model"),
        "sweep": _("Pruning sweep"),
    }
    return section("compress", labels, key="compress.section")
