"""How much of the store one visitor takes."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, and_, bindparam, func, select

from core.store.schema import RUNS, SAID
from core.types import UNFINISHED

KEPT = 1
"""The queue of runs that are kept."""

_IS_ENDED = RUNS.c.state.not_in(UNFINISHED)
COUNTS = (
    select(
        RUNS.c.priority,
        _IS_ENDED.label("is_ended"),
        func.count().label("n"),
        func.coalesce(func.sum(RUNS.c.file_bytes + RUNS.c.log_bytes), 0).label("n_bytes"),
    )
    .where(RUNS.c.owner == bindparam("owner"), RUNS.c.id != bindparam("without"))
    .group_by(RUNS.c.priority, _IS_ENDED)
)
DELETED = (
    select(func.count().label("n"))
    .select_from(RUNS.join(SAID, and_(SAID.c.run == RUNS.c.id, SAID.c.deleted.is_not(None))))
    .where(RUNS.c.owner == bindparam("owner"), RUNS.c.priority == KEPT)
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one visitor has in the store.

    `n_runs` are the kept ones, ended or not, those in the bin left out. The bytes are those of artifacts and logs of kept runs,
    in the bin or not: of ended ones and of those that still grow. Results of lens jobs are shared and go by age: not in it.
    """

    n_unfinished: int = 0
    n_lens_unfinished: int = 0
    n_runs: int = 0
    ended_bytes: int = 0
    growing_bytes: int = 0

    @property
    def n_bytes(self) -> int:
        """Bytes of all kept runs."""
        return self.ended_bytes + self.growing_bytes


class UsageReads:
    """The part of a reader that knows what a visitor has."""

    def usage(self, owner: str, *, without: str = "") -> Usage:
        """What belongs to `owner`; the run `without` is not counted."""
        rows = self._rows(COUNTS, owner=owner, without=without)
        found = {(row.priority == KEPT, bool(row.is_ended)): (int(row.n), int(row.n_bytes)) for row in rows}
        if not found:
            return Usage()
        n_deleted = sum(row.n for row in self._rows(DELETED, owner=owner))
        n_unfinished, growing_bytes = found.get((True, False), (0, 0))
        n_ended, ended_bytes = found.get((True, True), (0, 0))
        n_lens_unfinished, _ = found.get((False, False), (0, 0))
        return Usage(n_unfinished, n_lens_unfinished, n_unfinished + n_ended - n_deleted, ended_bytes, growing_bytes)

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        raise TypeError("a store asks its database here")
