"""Names in sentences: a few of many, so that a message about a thousand columns stays a sentence."""

from collections.abc import Sequence

SHOWN = 5


def listed(texts: Sequence[str]) -> str:
    """At most five texts, and how many more there are."""
    more = f" and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def quoted(names: Sequence[str]) -> str:
    """At most five names in quotation marks, and how many more there are."""
    return listed([f"“{name}”" for name in names])
