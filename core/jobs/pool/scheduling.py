"""Which runs may wait, which of them may start now, which checkpoints stay. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import log
from typing import Literal

from core.errors import TooExpensive
from core.jobs.pool.engine import Lane
from core.settings import Settings

MAX_CHECKPOINTS, MIN_CHECKPOINTS = 40, 4
"""Kept per run, so that one can look back at how the network was."""
KEPT_LAST = 2
"""The newest may turn out to be damaged."""

Obstacle = Literal["full", "own", "large", "memory"]
"""Why a run cannot start yet: as many work as may; its owner's own runs; large ones take turns; there is too little memory."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A training run that waits or works, and what it takes."""

    run: str
    owner: str
    memory_bytes: int = 0
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may work at once: runs, large ones among them, those of one visitor, and their memory together."""

    running: int
    large: int
    visitor: int
    memory_bytes: int


@dataclass(slots=True)
class Occupancy:
    """What works now, and whether one more may."""

    limits: Limits
    _n: int = 0
    _n_large: int = 0
    _owners: Counter[str] = field(default_factory=Counter)
    _bytes: int = 0
    _n_holding: int = 0

    def add(self, ask: Ask, *, is_working: bool = True) -> None:
        """Count a run that has a worker. A paused one holds memory alone."""
        self._count(ask, 1, is_working=is_working)

    def remove(self, ask: Ask) -> None:
        """Count it no more."""
        self._count(ask, -1, is_working=True)

    def _count(self, ask: Ask, sign: int, *, is_working: bool) -> None:
        self._bytes += sign * ask.memory_bytes
        self._n_holding += sign
        if is_working:
            self._n += sign
            self._n_large += sign * ask.is_large
            self._owners[ask.owner] += sign

    def n_of(self, owner: str) -> int:
        """How many runs of an owner work."""
        return self._owners[owner]

    @property
    def is_full(self) -> bool:
        """Whether no run at all may start."""
        return self._n >= self.limits.running

    def obstacle(self, ask: Ask) -> Obstacle | None:
        """What keeps this run from starting now; None for nothing. One that is alone always finds memory enough."""
        if self.is_full:
            return "full"
        if ask.owner and self.n_of(ask.owner) >= self.limits.visitor:
            return "own"
        if ask.is_large and self._n_large >= self.limits.large:
            return "large"
        if self._n_holding and self._bytes + ask.memory_bytes > self.limits.memory_bytes:
            return "memory"
        return None


def startable(
    waiting: Iterable[Ask], present: Occupancy, has_waited: Callable[[Ask], bool] = lambda ask: False
) -> Iterator[Ask]:
    """The waiting runs that may start now, in order; each is counted into `present` before the next one is looked at.

    Args:
        waiting: next one first. Those that cannot start are overtaken.
        has_waited: whether a run that lacks memory has been overtaken for long enough: then nobody goes before it.
    """
    for ask in waiting:
        obstacle = present.obstacle(ask)
        if obstacle is None:
            present.add(ask)
            yield ask
        elif obstacle == "full" or (obstacle == "memory" and has_waited(ask)):
            return


def check_room(lane: Lane, n_unfinished: int, settings: Settings) -> None:
    """Refuse one run more.

    Raises:
        TooExpensive: as many of this lane are unfinished as may work and wait.
    """
    limit = settings.max_lens_queued if lane == "lens" else settings.max_running + settings.max_queued
    if n_unfinished >= limit:
        raise TooExpensive(
            f"{n_unfinished} runs are unfinished, the limit is {limit}.", hint="Wait until one ends, or stop one."
        )


def n_checkpoints(largest_bytes: int, settings: Settings) -> int:
    """How many checkpoints of a run stay, so that they keep to its bytes."""
    allowed = settings.checkpoints_mb * 2**20 // max(1, largest_bytes)
    return max(MIN_CHECKPOINTS, min(MAX_CHECKPOINTS, allowed))


def checkpoints_to_forget(steps: Iterable[int], n_kept: int = MAX_CHECKPOINTS) -> set[int]:
    """The steps whose checkpoints may go, so that at most `n_kept` stay.

    The first and the last two always stay. Of the others, the one goes whose neighbours are nearest to each other in
    the ratio of their steps, again and again: what stays is spread evenly on a logarithmic axis, as learning is.
    """
    kept = sorted(set(steps))
    forgotten: set[int] = set()
    while len(kept) > n_kept:
        first = kept[0]
        gaps = [log((kept[index + 1] - first + 1) / (kept[index - 1] - first + 1)) for index in range(1, len(kept) - KEPT_LAST)]
        forgotten.add(kept.pop(1 + gaps.index(min(gaps))))
    return forgotten
