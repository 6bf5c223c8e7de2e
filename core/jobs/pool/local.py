"""Workers as processes of this machine, forked from one process that has torch loaded."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from core.jobs.messages import Message, Ready, decode, encode
from core.jobs.pool.engine import Lane, WorkerHandle
from core.jobs.pool.frames import FrameReader
from core.jobs.work.limits import TRAINING_NICE
from core.jobs.work.worker import park
from core.process import set_session_nice, waited_s
from core.settings import Settings

LOG = logging.getLogger(__name__)

MAX_LENS_WORKERS = 2
RETRY_S = 2.0
"""Wait after a worker could not be started."""
GOODBYE_S = 5.0
"""A training worker whose run is over has this long to end."""


class LocalWorker:
    """A forked process and our end of its pipe."""

    def __init__(self, process: multiprocessing.process.BaseProcess, connection: Connection, lane: Lane) -> None:
        self.lane: Lane = lane
        self.pid = process.pid or 0
        self.is_ready = False
        self._process = process
        self._connection = connection
        self._frames = FrameReader(connection)

    def send(self, message: Message) -> None:
        with suppress(OSError):
            self._connection.send_bytes(encode(message))

    def hurry(self, *, is_on: bool) -> bool:
        return self.lane == "lens" or set_session_nice(0 if is_on else TRAINING_NICE, self.pid)

    def waited_s(self) -> dict[int, float]:
        return waited_s(self.pid)

    def receive(self) -> list[bytes]:
        return self._frames.messages(is_last=not self.is_alive())

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def end(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by {next((one.name for one in signal.Signals if one == -code), f'signal {-code}')}"
        return f"its process ended with code {code}"

    def waitables(self) -> tuple[Connection | int, ...]:
        return (self._connection, self._process.sentinel) if self._frames.is_open else (self._process.sentinel,)

    def close(self) -> None:
        """Reap the process, which must have ended."""
        self._frames.close()
        self._connection.close()
        self._process.join()
        self._process.close()


class LocalEngine:
    """So many parked training workers as the settings say, the first of them before a lens worker, and a second one of those
    while lens jobs wait.

    Workers are started by a thread, because the first one waits for seconds until the forkserver has booted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings_text = settings.model_dump_json()
        self._n_parked = min(settings.parked_workers, settings.max_running)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["core.jobs.work.preload"])
        self._lock = threading.Lock()
        self._waiting: list[LocalWorker] = []
        self._lens_at_work: list[LocalWorker] = []
        self._leaving: list[tuple[LocalWorker, float]] = []
        self._wanted_lens = 1
        self._is_starting = False
        self._not_before = 0.0
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)

    def take(self, lane: Lane) -> LocalWorker | None:
        with self._lock:
            ours = [worker for worker in self._waiting if worker.lane == lane]
            worker = next((worker for worker in ours if worker.is_ready), None)
            if not ours and lane == "lens":
                self._wanted_lens = min(MAX_LENS_WORKERS, len(self._lens_at_work) + 1)
            if worker is not None:
                self._waiting.remove(worker)
                if lane == "lens":
                    self._lens_at_work.append(worker)
        self._start_missing()
        return worker

    def give_back(self, worker: WorkerHandle) -> None:
        if not isinstance(worker, LocalWorker):
            raise TypeError("this engine did not hand out that worker")
        with self._lock:
            if worker in self._lens_at_work:
                self._lens_at_work.remove(worker)
            if worker.lane == "lens" and worker.is_alive():
                worker.is_ready = True
                self._waiting.append(worker)
            else:
                self._leaving.append((worker, time.monotonic() + GOODBYE_S))

    def tend(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 512)
        with self._lock:
            for worker in list(self._waiting):
                for data in worker.receive():
                    worker.is_ready = worker.is_ready or isinstance(decode(data), Ready)
                if not worker.is_alive():
                    LOG.warning("a waiting %s worker is gone: %s", worker.lane, worker.end())
                    self._waiting.remove(worker)
                    self._leaving.append((worker, 0.0))
                    if not worker.is_ready:  # or a worker that cannot start would be started again without end
                        self._not_before = time.monotonic() + RETRY_S
            self._reap()
        self._start_missing()

    def is_warm(self, lane: Lane) -> bool:
        with self._lock:
            return any(worker.lane == lane and worker.is_ready for worker in self._waiting)

    def parked(self) -> tuple[tuple[int, Lane], ...]:
        with self._lock:
            return tuple((worker.pid, worker.lane) for worker in self._waiting)

    def waitables(self) -> tuple[Connection | int, ...]:
        with self._lock:
            workers = [*self._waiting, *(worker for worker, _ in self._leaving)]
            return (self._wake_read, *(one for worker in workers for one in worker.waitables()))

    def close(self) -> None:
        with self._lock:
            for worker in [*self._waiting, *self._lens_at_work, *(worker for worker, _ in self._leaving)]:
                worker.kill()

    def _reap(self) -> None:
        for worker, deadline in list(self._leaving):
            worker.receive()
            if not worker.is_alive():
                self._leaving.remove((worker, deadline))
                worker.close()
            elif time.monotonic() > deadline:
                worker.kill()

    def _missing(self) -> Lane | None:
        n_parked = sum(worker.lane == "training" for worker in self._waiting)
        n_lens = len(self._lens_at_work) + sum(worker.lane == "lens" for worker in self._waiting)
        if n_parked == 0:
            return "training"
        if n_lens < self._wanted_lens:
            return "lens"
        return "training" if n_parked < self._n_parked else None

    def _start_missing(self) -> None:
        with self._lock:
            lane = self._missing()
            if lane is None or self._is_starting or time.monotonic() < self._not_before:
                return
            self._is_starting = True
        threading.Thread(target=self._start, args=(lane,), name="park", daemon=True).start()

    def _start(self, lane: Lane) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=park, args=(theirs, lane, self._settings_text), daemon=True)
        try:
            process.start()
        except (OSError, EOFError) as error:
            LOG.error("no worker could be started: %s", error)
            ours.close()
            with self._lock:
                self._is_starting, self._not_before = False, time.monotonic() + RETRY_S
        else:
            with self._lock:
                self._waiting.append(LocalWorker(process, ours, lane))
                self._is_starting = False
        finally:
            theirs.close()
            os.write(self._wake_write, b"!")
