"""Who waits for the answer of a shared run. In memory alone: after a restart of the supervisor, only the owner is known."""

from typing import Any, Literal

from core.jobs.pool.ownership import owner_of
from core.store.protocol import RunRecord

MAX_RUNS = 4096

Heard = Literal["ends", "goes on", "stranger"]


class Askers:
    """Equal questions share one run: it ends when the last one who asked no longer wants to know."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def note(self, run: str, owner: str) -> None:
        """`owner` has asked for what this run computes."""
        self._of.setdefault(run, set()).add(owner)
        while len(self._of) > MAX_RUNS:
            del self._of[next(iter(self._of))]

    def of(self, record: RunRecord) -> frozenset[str]:
        """All who wait for this run: its owner alone where nothing else is known."""
        return frozenset(self._of.get(record.id) or {record.owner})

    def stop(self, record: RunRecord, request: dict[str, Any]) -> Heard:
        """What a Stop does: it ends the run, takes away the interest of who sent it and no more, or comes from a stranger.

        What comes from the owner of the data folder ends it for all; so does a host who has not asked for it too.
        """
        if "by" not in request:
            return "ends"
        known, owner = self._of.get(record.id) or {record.owner}, owner_of(request)
        if owner in known:
            known.discard(owner)
            return "goes on" if known else "ends"
        if request.get("as_host") is True or not record.owner:
            return "ends"
        return "goes on" if owner == record.owner else "stranger"

    def forget(self, run: str) -> None:
        """The run has ended."""
        self._of.pop(run, None)
