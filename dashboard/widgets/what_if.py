"""To be written."""

from dashboard.widgets.explain_question import Question
from dashboard.widgets.subject import Subject


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """To be written."""
