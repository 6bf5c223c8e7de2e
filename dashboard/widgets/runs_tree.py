"""What was made from what, and a new run from any checkpoint."""


def panel(*, key: str) -> None:
    """What was made from what, and a new run from any checkpoint."""
