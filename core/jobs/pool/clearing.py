"""Clears up on the side: ended runs beyond their time or beyond the room, files without a row, and room in the database file.

Little at a time, so that no run and no visitor waits for it.
"""

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from core.data.own.senders import forget_unused
from core.jobs.pool.line import PRIORITY
from core.settings import Settings
from core.store.protocol import RunWriter
from core.store.retention import Bounds, leftovers, runs_to_clear

LOG = logging.getLogger(__name__)

LOOK_S = 30.0
"""Between two looks at the ages and sizes of runs."""
CLEARED_AT_ONCE = 5
LOOKED_AT = 500
"""Ended runs that are looked at together, the oldest ones."""
PASS_S = 6 * 3600.0
"""Between two searches for files without a row."""
STEP_S = 0.25
PLACES_AT_ONCE = 10
PAGES_AT_ONCE = 64
MAX_SPARED = 256
JUMP_S = 3600.0
"""A clock that was moved by more than this is not trusted with the deletion of runs."""


class Clearing:
    """Every method belongs inside a transaction.

    Args:
        needed: what unfinished runs were asked to do, as one text with the ids of the runs that they need.
    """

    def __init__(self, store: RunWriter, settings: Settings, needed: Callable[[], str]) -> None:
        self._store = store
        self._settings = settings
        self._home = settings.home
        self._bounds = Bounds(settings.keep_days * 86_400.0, settings.store_mb * 2**20)
        self._needed = needed
        self._spared = deque[str](maxlen=MAX_SPARED)
        self._clock = _clock_offset()
        self._looked = self._stepped = -PASS_S
        self._passed = -PASS_S
        self._search: Iterator[Path | None] | None = None
        self._found: list[Path] = []
        self._may_shrink = True

    def spare(self, run: str) -> None:
        """Somebody has just been sent to this run: it is not cleared for now."""
        self._spared.append(run)

    def cleared(self) -> tuple[str, ...]:
        """Forget a few runs; their ids, whose files go after the commit. And tidy up a little."""
        self._tidy()
        now = time.monotonic()
        if now - self._looked < LOOK_S or self._bounds == Bounds(0.0, 0):
            return ()
        gone = self._choice()[:CLEARED_AT_ONCE]
        self._looked = now if len(gone) < CLEARED_AT_ONCE else -PASS_S
        if gone:
            LOG.info("clearing %d runs that ended first: %s", len(gone), " ".join(gone))
            self._store.forget_runs(gone)
            self._may_shrink = True
        return tuple(gone)

    def _choice(self) -> list[str]:
        if abs(_clock_offset() - self._clock) > JUMP_S:
            LOG.warning("the clock was moved by more than an hour: no run is cleared before the next start")
            return []
        needed = self._needed()
        spared = frozenset(self._spared)
        gone = []
        # Results of lens runs have a bound of their own (kept_lens_mb): here they go by age, and push no training run out.
        for lane, bounds in (("training", self._bounds), ("lens", replace(self._bounds, most_bytes=0))):
            gone += runs_to_clear(
                self._store.ended_runs(LOOKED_AT, priority=PRIORITY[lane]),
                self._store.queue_bytes(priority=PRIORITY[lane]),
                time.time(),
                bounds,
                lambda run: run in needed or run in spared,
            )
        return gone

    def _tidy(self) -> None:
        """Go on with the search for files without a row, and give room back."""
        now = time.monotonic()
        if now - self._stepped < STEP_S:
            return
        self._stepped = now
        for path in self._found:  # by now the transaction is committed in which they were found to be nobody's
            LOG.info("removing %s, which no run has", path)
            _remove(path)
        self._found = self._leftovers(now)
        if self._may_shrink:
            self._may_shrink = self._store.shrink(PAGES_AT_ONCE)

    def _leftovers(self, now: float) -> list[Path]:
        if self._search is None and now - self._passed > PASS_S:
            self._passed = now
            self._forget_uploads()
            self._search = leftovers(self._home, self._names, time.time)
        found = []
        for _ in range(PLACES_AT_ONCE if self._search is not None else 0):
            path = next(self._search or iter(()), self._home)
            if path == self._home:
                self._search, self._may_shrink = None, True
                break
            found.append(path)
        return [path for path in found if path is not None]

    def _forget_uploads(self) -> None:
        """Files of visitors go like their runs: when nobody has used them for as long as ended runs are kept."""
        if self._bounds.keep_s and abs(_clock_offset() - self._clock) <= JUMP_S:
            n = forget_unused(self._settings, time.time() - self._bounds.keep_s, self._needed())
            LOG.info("%d files of visitors went that nobody had used for long", n)

    def _names(self, run: str) -> frozenset[str] | None:
        """The names of a run's artifacts; None where there is no such run."""
        if self._store.run(run) is None:
            return None
        return frozenset(one.name for one in self._store.artifacts(run))


def _remove(path: Path) -> None:
    """What cannot be removed is found again at the next search."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        LOG.warning("%s cannot be removed: %s", path, error)


def _clock_offset() -> float:
    """By how much the clock on the wall is ahead of one that nobody can move, in seconds."""
    steady = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.time() - time.clock_gettime(steady)
