"""In which order waiting runs are served, so that no owner with many of them keeps another one waiting. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

Waiting = tuple[str, str]
"""A run and its owner."""


def by_starts(waiting: Sequence[Waiting], starts: Mapping[str, int]) -> list[str]:
    """Training runs, next one first: of the owner with the fewest recent starts, then first come first served.

    Args:
        waiting: in the order in which they came.
        starts: of each owner, so many of late. The runs that go before count as well, so owners take turns.
    """
    return _sorted([(starts.get(owner, 0) + nth, place, run) for nth, place, run, owner in _counted(waiting)])


def by_turns(waiting: Sequence[Waiting], served: Mapping[str, float]) -> list[str]:
    """Lens jobs, next one first: one of each owner, then another one of each; within a round those whose owner was served
    the longest time ago go first. Somebody who asks for a single one waits for one of each other owner at most.

    Args:
        waiting: in the order in which they came.
        served: when each owner's newest job was started.
    """
    return _sorted([(nth, served.get(owner, 0.0), place, run) for nth, place, run, owner in _counted(waiting)])


def _counted(waiting: Sequence[Waiting]) -> list[tuple[int, int, str, str]]:
    """Each with its number among its owner's and its place in the line."""
    seen = Counter[str]()
    found = []
    for place, (run, owner) in enumerate(waiting):
        found.append((seen[owner], place, run, owner))
        seen[owner] += 1
    return found


def _sorted(keys: Sequence[tuple[float | str, ...]]) -> list[str]:
    return [str(key[-1]) for key in sorted(keys)]
