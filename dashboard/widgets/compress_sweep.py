"""Accuracy against sparsity."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """Accuracy against sparsity."""
