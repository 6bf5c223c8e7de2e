"""The weights lens."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """To be written."""
