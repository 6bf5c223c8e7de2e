"""Train once per fold; and whether two experiments differ by more than the noise."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """Train once per fold; and whether two experiments differ by more than the noise."""
