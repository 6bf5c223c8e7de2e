"""Fifty SIGKILLs of worker, supervisor and server, one after another, while a reader watches: nothing that it saw gets lost."""

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from core.errors import PoolError
from core.events import StepsDone
from core.jobs.training import TrainJob
from core.store.protocol import RunRecord
from core.store.sql import SqlReader
from tests.core.jobs.processes import processes_of
from tests.core.jobs.real_pool import RANDOM_MLP, RealPool, digits, uninterrupted
from tests.core.jobs.test_jobs_training import like_a_worker  # noqa: F401  a fixture

pytestmark = [pytest.mark.slow_fault, pytest.mark.fault(65)]

ROOT = Path(__file__).resolve().parents[3]
N_KILLS = 50
STEPS = 2000
PATIENCE_S = 180.0
"""A supervisor is started again within five seconds, and torch is loaded anew."""


class Watcher(threading.Thread):
    """Reads the logs of runs again and again; `seen` has every loss that it was ever told, by run and step."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, dict[int, float]] = {}
        self.contradictions: list[tuple[str, int]] = []
        self.is_over = False
        self._read: dict[str, tuple[int, int]] = {}
        self._store = SqlReader(home / "runs.db")

    def run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self.is_over
            for run in list(self.seen):
                self.look(run)
            time.sleep(0.02)
        self._store.close()

    def look(self, run: str) -> None:
        """Read on; from the start where the log was rewound."""
        record, known = self._store.run(run), self.seen[run]
        generation, seq = self._read.get(run, (-1, 0))
        if record is None:
            return
        after = seq if record.generation == generation else 0
        page = self._store.events(run, after)
        self._read[run] = (record.generation, page[-1].seq if page else after)
        for logged in page:
            if isinstance(logged.event, StepsDone):
                for step, loss in enumerate(logged.event.losses[0], start=logged.event.first_step):
                    if known.setdefault(step, loss) != loss:
                        self.contradictions.append((run, step))


class Server:
    """The real server of the pages, which starts a supervisor where there is none."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/server.py", "--server.port", str(self._port)]
        environment = os.environ | {"LAYERWISE_HOME": str(self._home), "LAYERWISE_MAX_ATTEMPTS": "1000"}
        environment |= {"LAYERWISE_CHECKPOINT_S": "0.3", "OMP_NUM_THREADS": "1"}
        with open(self._home.parent / "server.log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def test_fifty_kills_of_worker_supervisor_and_server_lose_nothing(tmp_path, like_a_worker):  # noqa: F811
    home, draw, kills = tmp_path / "home", random.Random(7), Counter[str]()
    pool, server = RealPool(home, max_attempts=1000, checkpoint_s=0.3), Server(home)
    server.start()
    watcher, runs = None, list[str]()
    try:
        while sum(kills.values()) < N_KILLS:
            if not runs or pool.state(runs[-1]) == "finished":
                runs.append(submitted(pool, len(runs)))
                if watcher is None:
                    watcher = Watcher(home)
                    watcher.start()
                watcher.seen[runs[-1]] = {}
            known = pool.store.run(runs[-1])
            pool.wait(partial(has_moved, pool, known), PATIENCE_S)  # somebody is at work again
            time.sleep(draw.random())  # any moment: of a step, of a checkpoint, of a commit
            if victim := killed(draw, pool, server, runs[-1]):
                kills[victim] += 1
        pool.wait(lambda: pool.state(runs[-1]) == "finished", PATIENCE_S)
        watcher.is_over = True
        watcher.join()
        for n, run in enumerate(runs):
            losses, epochs = pool.curves(run)
            assert (losses, epochs) == uninterrupted(experiment(n))
            assert watcher.seen[run] == dict(enumerate(losses[0], start=1))
        assert watcher.contradictions == []
        assert is_whole(home)
        print(f"{dict(kills)}, {len(runs)} runs of {STEPS} steps, {sum(map(len, watcher.seen.values()))} losses watched")  # noqa: T201
    finally:
        if watcher is not None:
            watcher.is_over = True
            watcher.join()
        server.kill()
        pool.close()
    pool.wait(lambda: processes_of(home) == {})


def experiment(n: int):
    return digits(RANDOM_MLP, steps=STEPS).but(seed=n)


def has_moved(pool: RealPool, known: RunRecord) -> bool:
    """Whether something has been written to the log of a run, or it has ended."""
    present = pool.store.run(known.id)
    return present is not None and (present.state == "finished" or present.last_seq != known.last_seq)


def submitted(pool: RealPool, n: int) -> str:
    """A run; asked for again where the supervisor was killed, or is slow to start."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return pool.client.submit(TrainJob(experiment=experiment(n)))
        except PoolError:
            if time.monotonic() > deadline:
                raise


def killed(draw: random.Random, pool: RealPool, server: Server, run: str) -> str:
    """Kill one of the three, see that what it leads is gone, and have it started again as it would be; which it was, if any."""
    victim = draw.choice(("worker", "worker", "supervisor", "server"))
    if victim == "server":
        server.kill()
        server.start()
        pool.wait(server.is_up, PATIENCE_S)
        return victim
    present = processes_of(pool.home)
    supervisors = [pid for pid, words in present.items() if "core.jobs.supervisor" in words]
    if victim == "supervisor" and supervisors:
        os.kill(supervisors[0], signal.SIGKILL)
        gone = set(present) - {server.process.pid}
        pool.wait(lambda: not gone & set(processes_of(pool.home)))  # no orphans; a forkserver that boots sees it at the end
        return victim
    if pool.state(run) == "running" and pool.pid(run) in present:
        os.kill(pool.pid(run), signal.SIGKILL)
        return "worker"
    return ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_whole(home: Path) -> bool:
    connection = sqlite3.connect(home / "runs.db")
    answer = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return answer == ("ok",)
