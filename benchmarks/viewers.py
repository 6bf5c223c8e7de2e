"""Thirty people watch one run: what it costs the server, and how fresh the curves are.

Three processes besides this one's viewers: a writer that commits 600 steps a second with all telemetry of a run on 2-D
data (as the supervisor does), and the server. Every loss value is the time at which it was written, so a viewer reads its
latency off the curve. Last line: server_cpu_cores (CPU seconds per second), updates_per_second (slowest viewer),
latency_p50_s and latency_p95_s (of every commit, from just before it to its arrival at a viewer), steps_per_s, n_viewers.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from array import array
from pathlib import Path

from websockets.asyncio.client import connect

from core.events import EpochDone, Event, Started, StepMeasured, StepsDone, SurfaceMeasured
from core.store.protocol import LoggedEvent, RunRecord
from core.store.sql import SqlWriter

RUN = "viewers-benchmark"
TICK_S = 0.1  # the supervisor's group commit is of this order
STEPS_PER_TICK = 60
TICKS_PER_EPOCH = 10
SIDE = 50
SETTLE_S = 4.0
ROOT = Path(__file__).resolve().parents[1]


def tick_events(tick: int, now: float) -> list[Event]:
    """What a run sends in a tenth of a second."""
    first, last = tick * STEPS_PER_TICK + 1, (tick + 1) * STEPS_PER_TICK
    events: list[Event] = [
        StepsDone(first, tick // TICKS_PER_EPOCH, ((now,) * STEPS_PER_TICK,), (0.1,), last / 600),
        StepMeasured(last, (1.0,), (10.0,), (0.9,)),
    ]
    if tick % 2:
        events.append(SurfaceMeasured(last, 0, SIDE, 6.0, bytes(255 * i // SIDE**2 for i in range(SIDE**2))))
    if (tick + 1) % TICKS_PER_EPOCH == 0:
        events.append(EpochDone((tick + 1) // TICKS_PER_EPOCH, last, (now,), (0.9,), (now,), (0.9,), last / 600))
    return events


def write(home: Path, zero: float) -> None:
    """Write the run, for ever."""
    store = SqlWriter(home / "runs.db")
    record = RunRecord(
        id=RUN, kind="train", owner="", name="", state="running", reason="", job="{}", key="", attempt=1, generation=0,
        last_seq=0, last_step=0, created=zero, started=zero, finished=None,
    )  # fmt: skip
    started = Started(0, 33, 1000, 200, 200, STEPS_PER_TICK * TICKS_PER_EPOCH, 10**6, "cpu", ("SGD",), {})
    store.begin()
    store.create(record)
    store.append(RUN, [LoggedEvent(1, started)])
    store.commit()
    seq, tick, due = 1, 0, time.monotonic()
    while True:
        events = [LoggedEvent(seq + 1 + i, event) for i, event in enumerate(tick_events(tick, time.time() - zero))]
        store.begin()
        store.append(RUN, events)
        store.update(RUN, last_seq=events[-1].seq, last_step=(tick + 1) * STEPS_PER_TICK)
        store.commit()
        seq, tick, due = events[-1].seq, tick + 1, due + TICK_S
        time.sleep(max(0.0, due - time.monotonic()))


def losses_in(message: bytes) -> list[float]:
    """The different losses in a message: one per commit; reads the frames of dashboard/session/frames.py."""
    at, found = 0, list[float]()
    while at < len(message):
        (length,) = struct.unpack_from("<I", message, at)
        header = json.loads(message[at + 4 : at + 4 + length])
        at += -(-(4 + length) // 8) * 8
        for item in header["arrays"]:
            size = math.prod(item["shape"]) * int(item["dtype"][1])
            if item["name"] == "losses":
                found += sorted(set(array("f", message[at : at + size])))
            at += -(-size // 8) * 8
    return found


async def view(address: str, zero: float, end: float) -> list[tuple[float, list[float]]]:
    """(when, latency of each commit in it) for every update that one viewer gets before `end` (time.time)."""
    updates = []
    async with connect(address, max_size=None) as viewer:
        while (left := end - time.time()) > 0:
            try:
                message = await asyncio.wait_for(viewer.recv(), left)
            except TimeoutError:
                break
            now = time.time()
            latencies = [now - zero - loss for loss in losses_in(bytes(message))]
            if latencies:
                updates.append((now, latencies))
    return updates


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(pid: int, address: str, zero: float, options: argparse.Namespace) -> dict[str, float]:
    """All figures, from a window of `options.seconds` after everybody has settled."""
    begin = time.time() + SETTLE_S
    viewers = [asyncio.create_task(view(address, zero, begin + options.seconds)) for _ in range(options.viewers)]
    await asyncio.sleep(begin - time.time())
    before, clock = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(options.seconds)
    cores = (cpu_seconds(pid) - before) / (time.monotonic() - clock)
    seen = [[latencies for when, latencies in updates if when >= begin] for updates in await asyncio.gather(*viewers)]
    latencies = sorted(latency for updates in seen for commits in updates for latency in commits)
    return {
        "server_cpu_cores": round(cores, 4),
        "updates_per_second": round(min(map(len, seen)) / options.seconds, 2),
        "latency_p50_s": round(latencies[len(latencies) // 2], 3),
        "latency_p95_s": round(latencies[int(0.95 * len(latencies))], 3),
        "steps_per_s": STEPS_PER_TICK / TICK_S,
        "n_viewers": options.viewers,
    }


def wait_for(address: str) -> None:
    """Return once the server answers."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:  # nosec B310 # our own server, on this machine
                if b'"ok"' in answer.read():
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not answer.")


def main(options: argparse.Namespace) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    zero = time.time()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LAYERWISE_HOME": folder, "OMP_NUM_THREADS": "1"}
        writer = subprocess.Popen([sys.executable, "-m", "benchmarks.viewers", "--write", folder, str(zero)], cwd=ROOT)
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "benchmarks/viewers_server.py", "--server.port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            address = f"ws://127.0.0.1:{port}/api/runs/{RUN}/live?since=0&generation=-1"
            print(json.dumps(asyncio.run(measure(server.pid, address, zero, options))))
        finally:
            for process in (server, writer):
                process.send_signal(signal.SIGTERM)
                process.wait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--write", nargs=2, metavar=("HOME", "ZERO"), help="be the writer")
    given = parser.parse_args()
    if given.write:
        write(Path(given.write[0]), float(given.write[1]))
    else:
        main(given)
