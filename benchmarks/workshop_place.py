"""The place of a workshop: a server with its own data folder on this machine, and what its processes take."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.events import StepsDone
from core.jobs.client import Client
from core.settings import Settings
from core.store.sql import SqlReader

ROOT = Path(__file__).resolve().parents[1]
START_S = 90.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the place, at one moment."""

    pid: int
    parent: int
    words: str
    """Its command line."""
    pss_mb: float
    """Memory, with what is shared divided among those who share it."""
    cpu_s: float
    """Processor time so far, user and system."""
    n_threads: int
    n_files: int


@dataclass
class Place:
    """A server that runs."""

    server: subprocess.Popen[bytes]
    address: str
    """host:port."""
    home: Path
    log: Path

    def processes(self) -> dict[str, list[Process]]:
        """All processes by what they are: `server`, `supervisor`, and the `workers` below it."""
        table = {pid: parent for pid, parent in _parents() if pid != os.getpid()}
        roots = {"server": self.server.pid, "supervisor": self.supervisor()}
        found: dict[str, list[Process]] = {"server": [], "supervisor": [], "workers": []}
        for pid in table:
            line = _line(pid, table)
            if roots["supervisor"] in line:
                kind = "supervisor" if pid == roots["supervisor"] else "workers"
            elif roots["server"] in line:
                kind = "server"
            else:
                continue
            if process := _process(pid, table[pid]):
                found[kind].append(process)
        return found

    def supervisor(self) -> int:
        """Its process id; 0 while there is none."""
        for pid, _ in _parents():
            words = _words(pid)
            if "core.jobs.supervisor" in words and str(self.home) in words:
                return pid
        return 0

    def wait_until_warm(self) -> None:
        """Until a worker of each kind waits."""
        client = Client(self.home, Settings.from_environment())
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            status = client.status()
            if status.is_warm and status.is_lens_warm:
                return
            time.sleep(0.2)
        raise SystemExit(f"no warm workers after {START_S:g} s")

    def store(self) -> SqlReader:
        return SqlReader(self.home / "runs.db")

    def wrong_lines(self) -> list[str]:
        """Tracebacks and errors that the logs tell of."""
        logs = [self.log, *sorted((self.home / "logs").glob("*.log"))]
        lines = [(log.name, line) for log in logs for line in log.read_text(errors="replace").splitlines()]
        return [f"{name}: {line}" for name, line in lines if "Traceback" in line or " ERROR " in line]


def stored_losses(store: SqlReader, run: str) -> list[float]:
    """The batch losses of a run's first series, as the store has them, in the order of its log."""
    losses, after = list[float](), 0
    while page := store.events(run, after, name="StepsDone"):
        for logged in page:
            if isinstance(logged.event, StepsDone):
                losses[logged.event.first_step - 1 :] = logged.event.losses[0]
        after = page[-1].seq
    return losses


@contextmanager
def place(home: Path, settings: Mapping[str, str]) -> Iterator[Place]:
    """A server with these `LAYERWISE_*` settings that keeps its runs in `home`; server and supervisor end with the block."""
    port, log = _free_port(), home.parent / "server.log"
    os.environ |= {"LAYERWISE_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | dict(settings)
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/server.py", "--server.port", str(port)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # or thirty runs would go on without this process
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", server, log)
        yield Place(server, f"127.0.0.1:{port}", home, log)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        Client(home, Settings.from_environment()).shutdown()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # nosec B310 # our own server
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"The server did not answer.\n{log.read_text()[-2000:]}")


def _parents() -> Iterator[tuple[int, int]]:
    """(process, parent) of all processes."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            yield int(entry.name), int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has just ended
            continue


def children() -> frozenset[int]:
    """The processes that this one has started."""
    return frozenset(pid for pid, parent in _parents() if parent == os.getpid())


def _line(pid: int, parents: Mapping[int, int]) -> list[int]:
    """A process and its ancestors."""
    found = [pid]
    while (parent := parents.get(found[-1], 0)) and parent not in found:
        found.append(parent)
    return found


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _process(pid: int, parent: int) -> Process | None:
    """What a process takes; None when it has just ended."""
    folder = Path(f"/proc/{pid}")
    try:
        rollup = (folder / "smaps_rollup").read_text()
        pss_kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        times = (folder / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        n_threads, n_files = (sum(1 for _ in (folder / name).iterdir()) for name in ("task", "fd"))
        cpu_s = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return Process(pid, parent, _words(pid), pss_kb * 1024 / MIB, cpu_s, n_threads, n_files)
    except (OSError, StopIteration):
        return None
