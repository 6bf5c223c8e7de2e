"""The trained model in the formats that others read."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """The trained model in the formats that others read."""
