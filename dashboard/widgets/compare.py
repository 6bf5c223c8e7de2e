"""One thing pinned, another beside it: the same panel twice, for two moments, runs or examples."""

from typing import Protocol

from dashboard.widgets.subject import Subject


class Panel(Protocol):
    """What shows one subject. All its widget keys begin with `key`, so that it can stand on a page twice."""

    def __call__(self, subject: Subject, *, key: str) -> None: ...


def side_by_side(subject: Subject, panel: Panel, *, key: str) -> None:
    """The panel for the present subject."""
    panel(subject, key=key)
