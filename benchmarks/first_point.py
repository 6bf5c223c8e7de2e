"""From submit to the first point that a viewer has in hand: the real supervisor, server and WebSocket, warm.

Last line: {"p95_s": ..., "p50_s": ..., "n": ...}. Seconds from the call that submits the default experiment to the arrival
of the first frame with a step in it, at a viewer that connects as the page does.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect

from core.events import Stop
from core.experiment.examples import default_experiment
from core.jobs.client import Client
from core.jobs.training import TrainJob
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0


async def first_point_s(client: Client, address: str, seed: int) -> float:
    """Seconds from submit to the first frame of steps."""
    experiment = default_experiment().but(seed=seed)
    began = time.perf_counter()
    run = await asyncio.to_thread(client.submit, TrainJob(experiment=experiment))
    async with connect(f"{address}/api/runs/{run}/live", max_size=None) as viewer:
        async for message in viewer:
            if isinstance(message, bytes) and has_steps(message):
                break
    waited = time.perf_counter() - began
    await asyncio.to_thread(client.command, run, Stop())
    return waited


def has_steps(message: bytes) -> bool:
    """Whether one of the frames in a message is of type "steps"."""
    at = 0
    while at < len(message):
        length = int.from_bytes(message[at : at + 4], "little")
        header = json.loads(message[at + 4 : at + 4 + length])
        if header["type"] == "steps":
            return True
        at += padded(4 + length) + sum(padded(array_bytes(array)) for array in header["arrays"])
    return False


def array_bytes(array: dict[str, object]) -> int:
    return int(np.prod(array["shape"])) * np.dtype(str(array["dtype"])).itemsize


def padded(n: int) -> int:
    return -(-n // 8) * 8


def wait_for(url: str) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # nosec B310 # our own server, on this machine
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"no server at {url} after {START_S:g} s")


async def measured(n: int, port: int, home: Path) -> list[float]:
    """The waits of `n` submissions, each when the pool is warm again."""
    client = Client(home, Settings(home=home))
    waits = []
    for seed in range(n + 1):
        while not (await asyncio.to_thread(client.status)).is_warm:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        waits.append(await first_point_s(client, f"ws://127.0.0.1:{port}", seed))
    await asyncio.to_thread(client.shutdown)
    return waits[1:]  # the first one warms the server's own code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20)
    n = parser.parse_args().n
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/server.py", "--server.port", str(port)]
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"LAYERWISE_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            waits = asyncio.run(measured(n, port, home))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
    print("waits:", " ".join(f"{wait:.3f}" for wait in waits), flush=True)
    p50, p95 = np.percentile(waits, [50, 95])
    print(json.dumps({"p95_s": round(float(p95), 3), "p50_s": round(float(p50), 3), "n": n}))


if __name__ == "__main__":
    main()
