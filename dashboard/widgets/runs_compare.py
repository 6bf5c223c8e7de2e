"""Chosen runs side by side: what differs in their settings, what each costs, and what each says of one example."""


def panel(*, key: str) -> None:
    """Chosen runs side by side: what differs in their settings, what each costs, and what each says of one example."""
