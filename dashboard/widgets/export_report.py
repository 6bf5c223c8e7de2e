"""A report that opens offline, event files for TensorBoard, and a bundle of it all."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """A report that opens offline, event files for TensorBoard, and a bundle of it all."""
