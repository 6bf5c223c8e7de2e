"""The confusion matrix, the examples behind each cell, and the parts of the data on which it errs."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """The confusion matrix, the examples behind each cell, and the parts of the data on which it errs."""
