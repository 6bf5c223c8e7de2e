"""Which visitors have a page open, as the server that serves the pages tells it."""

import time
from collections.abc import Callable, Iterable

MAX_KNOWN = 10_000


class Presence:
    """When each visitor was last seen. A supervisor that has just been started takes everybody for seen.

    Args:
        lease_s: who was not seen for so long is gone; 0 for never.
        clock: seconds that never go back.
    """

    def __init__(self, lease_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease_s = lease_s
        self._clock = clock
        self._began = clock()
        self._seen: dict[str, float] = {}

    def see(self, owners: Iterable[str]) -> None:
        """These visitors are here now."""
        now = self._clock()
        self._seen.update(dict.fromkeys(owners, now))
        if len(self._seen) > MAX_KNOWN:
            self._seen = {owner: seen for owner, seen in self._seen.items() if now - seen <= self._lease_s}

    def is_gone(self, owner: str) -> bool:
        """Whether the lease of this visitor has ended. Nobody in particular never goes."""
        if not owner or not self._lease_s:
            return False
        return self._clock() - self._seen.get(owner, self._began) > self._lease_s
