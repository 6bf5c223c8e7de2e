"""A worker's way out: events in order, in batches, flushed by time even while a step hangs."""

import resource
import threading
import time
from multiprocessing.connection import Connection

from core.events import (
    Artifact,
    ArtifactSaved,
    Event,
    HyperChanged,
    Paused,
    Resumed,
)
from core.jobs.messages import Batch, Message, batch_row, encode
from core.race_events import LaneAdded, LaneRemoved, OptimizerSwapped
from core.store.artifacts import ArtifactFiles

FLUSH_S = 0.05
CROWDED_FLUSH_S, CROWDED = 0.2, 0.25
"""Where so many train at once that this process gets less than a quarter of a core: thirty of them would else send six hundred
batches a second, and there is no more in each."""
PUSHED_PER_S = 3
SHARE_S = 1.0
"""Over how long that is measured."""
MAX_BATCH = 500
ANSWERS = (HyperChanged, LaneAdded, LaneRemoved, OptimizerSwapped, Paused, Resumed)
"""What came of an order: somebody looks at the page and waits for it."""


class Share:
    """How much of a core this process gets, and whether it would take more."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._worked, self._n_pushed = _taken()
        self._is_crowded = False

    def flush_s(self) -> float:
        """How long events may wait for others to be sent with."""
        now = time.monotonic()
        waited = now - self._since
        if waited > SHARE_S:
            worked, n_pushed = _taken()
            # one that waits of itself, as in slow motion, is not pushed aside
            is_pushed = n_pushed - self._n_pushed > PUSHED_PER_S * waited
            self._is_crowded = is_pushed and worked - self._worked < CROWDED * waited
            self._since, self._worked, self._n_pushed = now, worked, n_pushed
        return CROWDED_FLUSH_S if self._is_crowded else FLUSH_S


def _taken() -> tuple[float, int]:
    """Processor time in seconds, and how often the system took the processor away, so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_nivcsw


class Outbox:
    """Numbers the events of one run after another and sends them. All methods may be called from any thread."""

    def __init__(self, connection: Connection, files: ArtifactFiles) -> None:
        self._connection = connection
        self._files = files
        self._lock = threading.Lock()
        self._has_rows = threading.Event()
        self._rows: list[tuple[int, str, str]] = []
        self._run = ""
        self._seq = 0
        self._last_flush = 0.0
        self._share = Share()
        threading.Thread(target=self._flush_by_time, name="flush", daemon=True).start()

    def open(self, run: str, seq: int) -> None:
        """From now on the events are those of `run`; the first gets `seq + 1`."""
        with self._lock:
            self._run, self._seq = run, seq

    def keep(self, artifact: Artifact) -> ArtifactSaved:
        """Write the file of an artifact; the event to send once it is there.

        Raises:
            StoreError: the file could not be written.
        """
        stored = self._files.write(self._run, artifact.name, artifact.data)
        return ArtifactSaved(artifact.name, artifact.kind, artifact.step, stored.n_bytes, stored.sha256)

    def put(self, event: Event) -> None:
        """Send an event."""
        with self._lock:
            self._seq += 1
            self._rows.append(batch_row(self._seq, event))
            is_full, is_awaited = len(self._rows) >= MAX_BATCH, isinstance(event, ANSWERS)
            if is_full or is_awaited or time.monotonic() - self._last_flush > self._share.flush_s():
                self._flush()
            else:
                self._has_rows.set()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            self._flush()

    def send(self, message: Message) -> None:
        """Send a message after all events that came before it."""
        with self._lock:
            self._flush()
            self._connection.send_bytes(encode(message))

    def _flush(self) -> None:
        rows, self._rows = tuple(self._rows), []
        self._has_rows.clear()
        self._last_flush = time.monotonic()
        if rows:
            self._connection.send_bytes(encode(Batch(self._run, rows)))

    def _flush_by_time(self) -> None:
        while True:
            self._has_rows.wait()
            time.sleep(self._share.flush_s())
            try:
                self.flush()
            except OSError:  # the supervisor is gone; the reader thread ends this process
                return
