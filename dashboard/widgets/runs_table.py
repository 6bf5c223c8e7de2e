"""The table of all runs, and the curves of those that are chosen."""


def panel(*, key: str) -> None:
    """The table of all runs, and the curves of those that are chosen."""
