"""After an order the followers of its run look as often as they may: who ordered looks at the page."""

import time

HURRY_S = 3.0

_until: dict[str, float] = {}
"""Until when a run is looked at often."""


def hurry(run: str) -> None:
    """Something was ordered of this run. May be called from any thread."""
    now = time.monotonic()
    for other in [other for other, until in tuple(_until.items()) if until < now]:
        _until.pop(other, None)
    _until[run] = now + HURRY_S


def is_hurried(run: str) -> bool:
    """Whether something was ordered of this run just now."""
    return _until.get(run, 0.0) > time.monotonic()
