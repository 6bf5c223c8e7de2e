"""Any setting against any figure, over many runs."""


def panel(*, key: str) -> None:
    """Any setting against any figure, over many runs."""
