"""The run as a stand-alone training script that reproduces its curve."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """The run as a stand-alone training script that reproduces its curve."""
