"""A bundle of another machine gives its run back."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """A bundle of another machine gives its run back."""
