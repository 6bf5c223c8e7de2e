"""While nothing can be written (a full disk, a broken one): tell all who ask, and try again, more and more rarely."""

import logging
import time
from multiprocessing.connection import wait
from pathlib import Path

from core.errors import StoreError
from core.jobs.pool.control import Control, refusal

LOG = logging.getLogger(__name__)

FIRST_S, LONGEST_S = 0.5, 10.0
"""Between two tries."""
CALM_S = 30.0
"""After so long without trouble the next one is a new one."""


class Standstill:
    """Stands in for a pool that had to let go of everything.

    Args:
        lock: the file that shows that the data folder is still this supervisor's.
    """

    def __init__(self, control: Control, lock: Path) -> None:
        self._control = control
        self._lock = lock
        self._identity = identity(lock)
        self._pause_s = FIRST_S
        self._last = -CALM_S

    def wait(self, error: StoreError) -> bool:
        """Wait until it is time for another try; False when there shall be none: a shutdown, or the folder is gone."""
        now = time.monotonic()
        self._pause_s = FIRST_S if now - self._last > CALM_S else min(LONGEST_S, 2 * self._pause_s)
        self._last = until = now + self._pause_s
        LOG.error("%s All runs stand still. Trying again in %g s.", error, self._pause_s)
        while (left_s := until - time.monotonic()) > 0 and identity(self._lock) == self._identity:
            wait(self._control.waitables(), min(left_s, FIRST_S))
            for request in self._control.requests():
                if request.fields.get("ask") == "shutdown":
                    self._control.answer(request, {})
                    return False
                self._control.answer(request, refusal(error))
        return identity(self._lock) == self._identity


def identity(path: Path) -> int | None:
    """What tells a file from another one of the same name; None when it is gone."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
