"""Which runs may wait, which checkpoints stay. Pure."""

from collections.abc import Iterable
from math import log

from core.errors import TooExpensive
from core.jobs.pool.engine import Lane
from core.settings import Settings

MAX_CHECKPOINTS, MIN_CHECKPOINTS = 40, 4
"""Kept per run, so that one can look back at how the network was."""
KEPT_LAST = 2
"""The newest may turn out to be damaged."""


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
