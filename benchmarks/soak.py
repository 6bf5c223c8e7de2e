"""Visitors come, train, look, and leave again, for ten minutes: whether anything grows in server or supervisor meanwhile.

The place is that of benchmarks.workshop, with raw clients. Always `--visitors` of them are there. Each has a new space and a
new session, opens the page by a link, trains and watches, changes the learning rate, sends a file, mostly has something
explained, and leaves: most stop their run and close the page; the others are just gone, their connections cut without a word
while their run goes on to its end. Sessions of those who left are kept for 20 s (a page that comes back finds its own), so that
many are forgotten within the soak.

Every few seconds memory (PSS), threads, open files and processes are taken down. The first 30 % are warm-up. Last line, one
object: growth_mb_per_minute (server and supervisor, least squares), server_growth_mb and supervisor_growth_mb (what the fits
gain from the end of the warm-up to the end), threads_growth, files_growth (of both), store_files_growth (connections of the
server to the store) and processes_growth (workers too): medians of the last third less those of the first, after the warm-up;
errors, n_visits, and server_mb and store_mb at the end. The store itself grows: it keeps the runs.
"""

import argparse
import asyncio
import json
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workshop import LINK_TEXT, experiment
from benchmarks.workshop_place import MIB, Place, Process, place
from benchmarks.workshop_visitors import RawVisitor, play
from core.experiment.codec import link_text
from core.experiment.experiment import Budget

SAMPLE_S = 4.0
WARM_UP = 0.3
SESSION_TTL_S = 20
UPLOAD = bytes(200_000)
RUDE, EXPLAINS = 0.3, 0.7
"""Of all visits."""
SHORT, LONG = 20, 2000
"""Epochs: runs that nobody stops are over soon."""
SETTINGS = {
    "LAYERWISE_PROFILE": "workshop",
    "LAYERWISE_KEPT_LENS_RUNS": "60",
    "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(SESSION_TTL_S),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes of the place took at one moment."""

    when: float
    """Seconds."""
    server_mb: float
    supervisor_mb: float
    threads: int
    files: int
    store_files: int
    processes: int

    @property
    def both_mb(self) -> float:
        return self.server_mb + self.supervisor_mb


def sample(there: Place, when: float) -> Sample:
    """A look at the processes now."""
    found = there.processes()
    both = [*found["server"], *found["supervisor"]]
    return Sample(
        when,
        megabytes(found["server"]),
        megabytes(found["supervisor"]),
        sum(one.n_threads for one in both),
        sum(one.n_files for one in both),
        store_files(there.server.pid),
        sum(map(len, found.values())),
    )


def megabytes(processes: Sequence[Process]) -> float:
    return sum(one.pss_mb for one in processes)


def store_files(pid: int) -> int:
    """Open files of the store's database in one process."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(entry.readlink().name)
        except OSError:  # closed meanwhile
            continue
    return sum(name.startswith("runs.db") for name in links)


def growth(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """What a least-squares line gains per second."""
    if len(samples) < 3:
        return 0.0
    return float(np.polyfit([one.when for one in samples], [of(one) for one in samples], 1)[0])


def step(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """The median of the last third less that of the first."""
    n = max(1, len(samples) // 3)
    first, last = (statistics.median(of(one) for one in part) for part in (samples[:n], samples[-n:]))
    return last - first


def verdict(samples: Sequence[Sample]) -> dict[str, float]:
    """What grew after the warm-up."""
    settled = samples[int(WARM_UP * len(samples)) :]
    seconds = settled[-1].when - settled[0].when
    return {
        "growth_mb_per_minute": round(60 * growth(settled, lambda one: one.both_mb), 3),
        "server_growth_mb": round(seconds * growth(settled, lambda one: one.server_mb), 2),
        "supervisor_growth_mb": round(seconds * growth(settled, lambda one: one.supervisor_mb), 2),
        "threads_growth": step(settled, lambda one: one.threads),
        "files_growth": step(settled, lambda one: one.files),
        "store_files_growth": step(settled, lambda one: one.store_files),
        "processes_growth": step(settled, lambda one: one.processes),
    }


async def come_and_go(there: Place, until: float, luck: random.Random) -> tuple[int, list[str]]:
    """Visits of one place in the room, one after another; how many, and what went wrong."""
    n, errors = 0, list[str]()
    while time.monotonic() < until:
        is_rude = luck.random() < RUDE
        query = LINK_TEXT + link_text(experiment().but(budget=Budget(epochs=SHORT if is_rude else LONG)))
        visitor = RawVisitor(there.address, query, secrets.token_urlsafe(32), drops_out=luck.random() < RUDE)
        acts = ["open", "train", *([] if is_rude else ["rate"]), *(["explain"] if luck.random() < EXPLAINS else [])]
        await play(visitor, [(0.0, act) for act in acts], time.monotonic())
        if not visitor.noted.errors:
            try:
                await visitor.page.upload("picture.png", UPLOAD)
            except visitor.failures as error:
                errors.append(f"upload: {error}")
        if not is_rude:
            await play(visitor, [(0.0, "stop")], time.monotonic())
        await visitor.leave(is_rude=is_rude)
        errors += visitor.noted.errors
        n += 1
    return n, errors


async def soak(there: Place, options: argparse.Namespace) -> dict[str, Any]:
    """Visits and samples until the time is over; the verdict."""
    luck, began, samples = random.Random(options.seed), time.monotonic(), list[Sample]()  # nosec B311 # repeatable
    until = began + options.seconds
    rooms = [random.Random(luck.random()) for _ in range(options.visitors)]  # nosec B311 # repeatable
    going = asyncio.gather(*(come_and_go(there, until, one) for one in rooms))
    while time.monotonic() < until:
        await asyncio.sleep(SAMPLE_S)
        samples.append(await asyncio.to_thread(sample, there, time.monotonic() - began))
        if options.trace:
            print(samples[-1], flush=True)
    visits = await going
    errors = [*(error for _, found in visits for error in found), *there.wrong_lines()]
    for error in errors[:20]:
        print("error:", error, flush=True)
    store_mb = sum(path.stat().st_size for path in there.home.glob("runs.db*")) / MIB
    return verdict(samples) | {
        "errors": len(errors),
        "n_visits": sum(n for n, _ in visits),
        "server_mb": round(samples[-1].server_mb, 1),
        "store_mb": round(store_mb, 1),
        "seconds": options.seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=8, help="at once")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trace", action="store_true", help="print every sample")
    parser.add_argument("--keep", type=Path, help="a folder for the data and the logs, kept afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = (options.keep or Path(folder)).absolute() / "home"
        home.parent.mkdir(parents=True, exist_ok=True)
        with place(home, SETTINGS) as there:
            there.wait_until_warm()
            figures = asyncio.run(soak(there, options))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
