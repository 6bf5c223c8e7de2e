"""The waiting runs of a SQL store, in the order in which they are served."""

import time
from typing import Any

from sqlalchemy import Executable

from core.store import statements
from core.store.fair_order import by_starts, by_turns

TRAINING = 1
FAIRNESS_WINDOW_S = 600.0
"""An owner who started fewer training runs in this time goes first."""


class WaitingReads:
    """The part of a reader that knows the queues."""

    def queue(self, *, priority: int) -> tuple[str, ...]:
        waiting = [(row.id, row.owner) for row in self._rows(statements.WAITING, priority=priority)]
        if len(waiting) < 2:
            return tuple(run for run, _ in waiting)
        asked: dict[str, Any] = {"priority": priority, "cutoff": time.time() - FAIRNESS_WINDOW_S}
        if priority == TRAINING:
            return tuple(by_starts(waiting, {row[0]: row[1] for row in self._rows(statements.STARTS, **asked)}))
        return tuple(by_turns(waiting, {row[0]: row[1] for row in self._rows(statements.LATEST, **asked)}))

    def queue_position(self, run: str) -> int | None:
        rows = self._rows(statements.WAITS_IN, run=run)
        waiting = self.queue(priority=rows[0].priority) if rows else ()
        return waiting.index(run) if run in waiting else None

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        raise TypeError("a store asks its database here")
