"""How this server is doing: whether it can work at all, and what it took in the last minutes. Bounded, and cheap to ask."""

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from streamlit import runtime

from core.errors import LayerwiseError
from core.jobs.client import Client
from core.jobs.job import PoolStatus
from core.jobs.pool_health import PoolHealth
from core.process import machine_memory, resident_bytes
from dashboard.session import resources

SAMPLE_S = 5.0
MOST_SAMPLES = 180
"""The last quarter of an hour."""
PATIENCE_S = 2.0
"""The supervisor answers within milliseconds, or is stuck."""
NOBODY = "0" * 32


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether the parts are there. `status` is None where the supervisor does not answer."""

    is_store_there: bool
    status: PoolStatus | None

    @property
    def is_well(self) -> bool:
        """Whether a visitor can see runs and start one."""
        return self.is_store_there and self.status is not None


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. Time in seconds since the epoch; what is not known is None."""

    time: float
    running: int | None
    queued: int | None
    pages: int
    streams: int
    server_bytes: int | None
    used_bytes: int | None
    """Of the machine's memory, by everything."""
    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Bytes on the disk, and those that are free there."""

    database: int
    uploads: int
    n_uploads: int
    logs: int
    free: int


class Vitals:
    """Watches one server. Its methods may be called from any thread; those that ask the supervisor wait for its answer.

    Args:
        pool: the way to the supervisor, with the server's own rights.
    """

    def __init__(self, pool: Callable[[], Client]) -> None:
        self._pool = pool
        self._counters: dict[str, Callable[[], int]] = {}
        self._samples = deque[Sample](maxlen=MOST_SAMPLES)

    def count(self, name: str, counter: Callable[[], int]) -> None:
        """From now on these open connections are counted too; a second counter of a name replaces the first."""
        self._counters[name] = counter

    def streams(self) -> dict[str, int]:
        """Open connections by name."""
        return {name: counter() for name, counter in self._counters.items()}

    def pulse(self) -> Pulse:
        """Whether the parts are there."""
        pool = self._pool()
        try:
            pool.store.run(NOBODY)
            is_store_there = True
        except LayerwiseError:
            is_store_there = False
        try:
            return Pulse(is_store_there, pool.pulse(PATIENCE_S))
        except (LayerwiseError, ValueError, KeyError, TypeError):  # a stranger on the socket
            return Pulse(is_store_there, None)

    def pool_health(self) -> PoolHealth | None:
        """What the supervisor tells its host; None where it does not answer."""
        try:
            return self._pool().health(PATIENCE_S)
        except (LayerwiseError, ValueError, KeyError, TypeError):
            return None

    def sample(self) -> Sample:
        """The present moment, kept with those before it."""
        status, memory = self.pulse().status, machine_memory()
        self._samples.append(
            Sample(
                time=time.time(),
                running=status.running if status else None,
                queued=status.queued if status else None,
                pages=n_pages(),
                streams=sum(self.streams().values()),
                server_bytes=resident_bytes(),
                used_bytes=memory[0] - memory[1] if memory else None,
                total_bytes=memory[0] if memory else None,
            )
        )
        return self._samples[-1]

    def samples(self) -> tuple[Sample, ...]:
        """The last minutes, in order."""
        return tuple(self._samples)


def n_pages() -> int:
    """Pages that are open in a browser now."""
    if not runtime.exists():
        return 0
    sessions = getattr(runtime.get_instance(), "_session_mgr", None)  # there is no public way to this number
    return sessions.num_active_sessions() if sessions else 0


def store_size(home: Path) -> StoreSize:
    """What a data folder takes, without its artifacts: the supervisor knows those by heart."""
    database = sum(_size(home / name) for name in ("runs.db", "runs.db-wal"))
    uploads, logs = (tuple(_sizes(home / name)) for name in ("uploads", "logs"))
    place = next(parent for parent in (home.absolute(), *home.absolute().parents) if parent.exists())
    return StoreSize(database, sum(uploads), len(uploads), sum(logs), shutil.disk_usage(place).free)


def _sizes(folder: Path) -> Iterator[int]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        yield _size(Path(entry.path))


def _size(path: Path) -> int:
    """Bytes of a file; 0 of one that is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


@cache
def vitals() -> Vitals:
    """Those of this server."""
    return Vitals(lambda: resources.pool())
