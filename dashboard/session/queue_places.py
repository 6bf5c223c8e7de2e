"""The places of the waiting runs, asked of the supervisor once for all who look."""

import threading
import time
from collections.abc import Callable, Mapping

from core.jobs.queue_client import QueuePlace
from core.store.protocol import RunReader

Places = Callable[[str], QueuePlace | None]
"""Where a run waits; None when it does not."""
FRESH_S = 1.0


class QueuePlaces:
    """One per server; may be asked from any thread.

    Args:
        ask: the places by run; None where nobody answers.
        reader: knows the order of the queue in any case.
    """

    def __init__(self, ask: Callable[[], Mapping[str, QueuePlace] | None], reader: RunReader) -> None:
        self._ask = ask
        self._reader = reader
        self._lock = threading.Lock()
        self._asked = -FRESH_S
        self._places: Mapping[str, QueuePlace] | None = None

    def of(self, run: str) -> QueuePlace | None:
        """The place of a run; None when it does not wait."""
        with self._lock:
            if time.monotonic() - self._asked >= FRESH_S:
                self._places, self._asked = self._ask(), time.monotonic()
            place = self._places.get(run) if self._places else None
        return place or place_in_order(self._reader, run)


def place_in_order(reader: RunReader, run: str) -> QueuePlace | None:
    """The place of a run as the store knows it, without a time."""
    position = reader.queue_position(run)
    return None if position is None else QueuePlace(position + 1)
