"""One smaller model, with size, speed, accuracy and agreement beside the original."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """One smaller model, with size, speed, accuracy and agreement beside the original."""
