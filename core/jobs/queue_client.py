"""What the server asks about the queue and says about its visitors, as a part of the client."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.jobs.pool.control import ask

PATIENCE_S = 2.0
"""These are asked again soon: nobody waits long for them."""
STEPS_S = (1.0, 5.0, 10.0, 60.0, 300.0)
"""Times are rounded up to the largest of these that is not more than a fifth of them."""


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a training run waits: `place` is 1 for the next to start, `wait_s` about the time until then (None: nobody knows),
    `waits_for` what keeps it: full, own (another run of its owner's), large, memory; empty for a worker alone."""

    place: int
    wait_s: float | None = None
    waits_for: str = ""


class QueueClient:
    """Speaks for the server itself. A supervisor that is not there is no error: it is being started."""

    _home: Path

    def say_present(self, owners: Collection[str]) -> bool:
        """Tell which visitors have a page open; whether it was heard."""
        try:
            return "error" not in ask(self._home, {"ask": "present", "owners": sorted(owners)}, timeout_s=PATIENCE_S)
        except OSError:
            return False

    def places(self) -> dict[str, QueuePlace] | None:
        """The places of all waiting training runs; None where the supervisor does not answer."""
        try:
            found = ask(self._home, {"ask": "queue"}, timeout_s=PATIENCE_S).get("queue")
        except OSError:
            return None
        if not isinstance(found, dict):
            return None
        return {run: QueuePlace(place, rounded(wait_s), why or "") for run, (place, wait_s, why) in found.items()}


def rounded(seconds: float | None) -> float | None:
    """A rough time as it is honest to say it: in steps of a second, five, ten, a minute or five."""
    if seconds is None:
        return None
    step = max((one for one in STEPS_S if one <= seconds / 5), default=STEPS_S[0])
    return step * math.ceil(seconds / step)
