"""What may go: ended runs that are too old or too many, and files that no row names any more. Chooses; removes nothing."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.store.sizes import EndedRun

FRESH_S = 600.0
"""A run that has just ended is not cleared for its size: somebody looks at it."""
GRACE_S = 3600.0
"""A file without a row may be about to get one; one of this age is not."""

Names = Callable[[str], Collection[str] | None]
"""The names of a run's artifacts; None where there is no such run."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long ended runs are kept and how much all runs may take; 0 for no bound."""

    keep_s: float
    most_bytes: int


def runs_to_clear(
    ended: Iterable[EndedRun], total_bytes: int, now: float, bounds: Bounds, is_needed: Callable[[str], bool]
) -> list[str]:
    """Ids of ended runs that go, those that ended first coming first.

    Args:
        ended: in the order of their ends.
        total_bytes: what all runs take, unfinished ones too.
        now: seconds since the epoch.
        is_needed: whether a run must stay, whatever its age.
    """
    gone = []
    for one in ended:
        age = now - one.finished
        is_old = 0 < bounds.keep_s < age
        is_too_much = 0 < bounds.most_bytes < total_bytes and age > FRESH_S
        if not is_old and not is_too_much:
            break  # those that follow ended later, and the total stays as it is
        if not is_needed(one.id):
            gone.append(one.id)
            total_bytes -= one.n_bytes
    return gone


def leftovers(home: Path, names: Names, now: Callable[[], float]) -> Iterator[Path | None]:
    """Files and folders under a data folder that nothing needs; None for each place that is as it should be.

    A place is looked at when it is asked for, so that a caller may stop after any of them.
    """
    for folder in _entries(home / "artifacts"):
        if _is_folder(folder):
            yield from _of_run(folder, names(folder.name), now())
    for entry in _entries(home / "uploads"):
        yield entry if entry.name.endswith(".part") and _age(entry, now()) > GRACE_S else None
    for entry in _entries(home / "datasets" / "own"):  # made of uploads, which are gone
        is_orphan = not (home / "uploads" / entry.name).exists()
        yield entry if is_orphan and _is_folder(entry) and _age(entry, now()) > GRACE_S else None


def _of_run(folder: Path, names: Collection[str] | None, now: float) -> Iterator[Path | None]:
    if names is None:
        yield folder if _age(folder, now) > GRACE_S else None
        return
    found = [entry for entry in _entries(folder) if entry.name not in names and _age(entry, now) > GRACE_S]
    if found:
        yield from found
    else:
        yield None


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


def _is_folder(path: Path) -> bool:
    """Whether it is a folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _age(path: Path, now: float) -> float:
    """Seconds since it was written; 0 for what is gone, and for what comes from the future."""
    try:
        return max(0.0, now - path.lstat().st_mtime)
    except FileNotFoundError:
        return 0.0
