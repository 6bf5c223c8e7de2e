"""What a disturbance of the input does to the accuracy."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """What a disturbance of the input does to the accuracy."""
