"""A worker process: waits warm for an assignment, drives its stream, and sends what happens up the pipe.

A training worker does one job and ends, so that every run starts from the same fresh process. A lens worker has the
explanation libraries loaded and does one job after another.
"""

import importlib
import logging
import os
import sys
import threading
from collections import deque
from multiprocessing.connection import Connection
from typing import Literal

from core.events import Command, Stop
from core.jobs.job import Stream
from core.jobs.menu import parse_job
from core.jobs.messages import Assignment, Ordered, Ready, Stopping, command_of, decode
from core.jobs.work.desk import WorkDesk
from core.jobs.work.driver import Driver
from core.jobs.work.limits import (
    LENS_NICE,
    MIB,
    TRAINING_NICE,
    data_bytes,
    limit_resources,
    lower_priority,
    run_in_background_priority,
)
from core.jobs.work.outbox import Outbox
from core.logs import about, log_to
from core.process import switch_threads_often
from core.settings import Settings
from core.store.artifacts import ArtifactFiles

LOG = logging.getLogger(__name__)

LENS_LIBRARIES = ("captum.attr", "shap", "lime.lime_base", "skimage.segmentation", "sklearn.linear_model")
"""Imported by a parked lens worker; together they take seconds."""
EXIT_ORPHAN = 75

Lane = Literal["training", "lens"]


class PipeInbox:
    """What comes down the pipe, read by a thread. When the supervisor is gone, so is this process."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self._news = threading.Condition()
        self._assignments: deque[Assignment] = deque()
        self._commands: deque[Command] = deque()
        self._run = ""
        self._is_stopping = False
        self._has_answered = False
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def assignment(self) -> Assignment:
        """The next job; waits for it."""
        with self._news:
            self._news.wait_for(lambda: self._assignments)
            return self._assignments.popleft()

    def take(self, step: int, *, wait: bool) -> Command | None:
        if wait:
            self._outbox.flush()
        with self._news:
            if wait:
                self._news.wait_for(lambda: self._commands)
            command = self._commands.popleft() if self._commands else None
        if isinstance(command, Stop):
            self.must_stop()
        return command

    def must_stop(self) -> bool:
        """Whether the run was told to stop. Whoever asks will obey, so the first time the supervisor hears of it."""
        if self._is_stopping and not self._has_answered:
            self._has_answered = True
            self._outbox.send(Stopping(self._run))
        return self._is_stopping

    def _read(self) -> None:
        while True:
            try:
                message = decode(self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(EXIT_ORPHAN)
            with self._news:
                if isinstance(message, Assignment):
                    self._run, self._is_stopping, self._has_answered = message.run, False, False
                    self._commands.clear()
                    self._assignments.append(message)
                elif isinstance(message, Ordered) and message.run == self._run:
                    command = command_of(message)
                    self._is_stopping = self._is_stopping or isinstance(command, Stop)
                    self._commands.append(command)
                self._news.notify_all()


class Worker:
    """Does what the supervisor assigns."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._settings = settings
        self._files = ArtifactFiles(settings.home)
        self._outbox = Outbox(connection, self._files)
        self._inbox = PipeInbox(connection, self._outbox)
        self.is_spoilt = False
        """Its last job failed in a way that leaves this process unfit for another."""

    def do_next(self) -> None:
        """Say that this worker waits, wait for an assignment, and do it to its end."""
        self._outbox.send(Ready())
        assignment = self._inbox.assignment()
        self._outbox.open(assignment.run, assignment.seq)
        desk = WorkDesk(self._settings, self._files, self._outbox.put, self._inbox.must_stop)
        step = assignment.checkpoint.step if assignment.checkpoint else 0
        stream = self._stream(assignment, desk)
        driver = Driver(stream, self._inbox, self._outbox.keep, step=step, pause_at=assignment.carry.pause_at)
        with about(run=assignment.run):
            for event in driver.events():
                self._outbox.put(event)
        self.is_spoilt = driver.is_process_spoilt
        self._outbox.flush()

    def _stream(self, assignment: Assignment, desk: WorkDesk) -> Stream:
        """The job's stream; what goes wrong before it begins belongs to the run as well."""
        job = parse_job(assignment.job)
        desk.replay = tuple(change.replayed() for change in assignment.carry.changes)
        if assignment.checkpoint:
            desk.resume = self._files.read(assignment.run, assignment.checkpoint.name, assignment.checkpoint.sha256)
        yield from job.stream(desk)


def park(connection: Connection, lane: Lane, settings_text: str) -> None:
    """The whole life of a worker process; it does not return."""
    settings = Settings.model_validate_json(settings_text)
    log_to(settings.home / "logs" / "worker.log", "worker", settings.log_format)
    lower_priority(TRAINING_NICE if lane == "training" else LENS_NICE)
    if lane == "lens":
        run_in_background_priority(_import_lens_libraries)
    _tame_torch(settings.worker_threads)
    limit_resources(settings)
    switch_threads_often()
    start_bytes = data_bytes()
    try:
        worker = Worker(connection, settings)
        worker.do_next()
        half = settings.worker_memory_mb * MIB // 2
        while lane == "lens" and not worker.is_spoilt and data_bytes() - start_bytes < half:
            worker.do_next()
    except OSError:  # the supervisor is gone
        os._exit(EXIT_ORPHAN)
    except BaseException:
        LOG.exception("a worker failed outside of its job")
        logging.shutdown()
        os._exit(1)
    os._exit(0)  # no clean-up of a process whose libraries were loaded by another


def _lens_libraries() -> tuple[str, ...]:
    chosen = os.environ.get("LAYERWISE_LENS_PRELOAD")
    return LENS_LIBRARIES if chosen is None else tuple(name for name in chosen.split(",") if name)


def _import_lens_libraries() -> None:
    for name in _lens_libraries():
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  the job that needs it will say so in words
            LOG.warning("%s could not be imported: %s", name, error)


def _tame_torch(n_threads: int) -> None:
    """So many threads, and tiny numbers as zero (they cost up to three times the step). Only where the forkserver has torch."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(n_threads)
        torch.set_flush_denormal(True)
