"""A real supervisor with real workers and a Menu of tiny jobs without torch."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.events import HyperChanged, StepsDone
from core.jobs.client import Client
from core.jobs.job import Job
from core.settings import Settings
from core.store.protocol import RunRecord
from core.types import UNFINISHED

DEMO = {
    "LAYERWISE_JOBS": "tests.core.jobs.demo_jobs:AnyJob",
    "LAYERWISE_PRELOAD": "core.jobs.work.worker,tests.core.jobs.demo_jobs",
    "LAYERWISE_LENS_PRELOAD": "",
    "CANARY_API_TOKEN": "canary-7391",
}


class DemoPool:
    """A client and what tests want to know besides."""

    def __init__(self, home: Path, **settings: float) -> None:
        self.home = home
        self.client = Client(home, Settings(home=home, **settings))
        self.store = self.client.store

    def wait(self, is_so: Callable[[], object], timeout_s: float = 20.0) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)

    def state(self, run: str) -> str:
        record = self.store.run(run)
        return record.state if record else "unknown"

    def wait_for(self, run: str, *states: str) -> RunRecord:
        """The run once it is in one of these states."""
        self.wait(lambda: self.state(run) in states)
        record = self.store.run(run)
        assert record is not None
        return record

    def end(self, job: Job) -> RunRecord:
        """The run of this job once it has ended."""
        run = self.client.submit(job)
        self.wait(lambda: self.state(run) not in UNFINISHED | {"unknown"})
        return self.wait_for(run, self.state(run))

    def wait_for_step(self, run: str, step: int) -> None:
        """Wait until this step is in the store."""

        def is_there() -> bool:
            record = self.store.run(run)
            return record is not None and record.last_step >= step

        self.wait(is_there)

    def names(self, run: str) -> list[str]:
        return [type(logged.event).__name__ for logged in self.store.events(run)]

    def curve(self, run: str) -> list[float]:
        """All losses, in order; each step must be there exactly once."""
        batches = [logged.event for logged in self.store.events(run) if isinstance(logged.event, StepsDone)]
        losses = [loss for batch in batches for loss in batch.losses[0]]
        assert [batch.first_step for batch in batches] == [
            1 + sum(len(one.losses[0]) for one in batches[:index]) for index in range(len(batches))
        ]
        return losses

    def changes(self, run: str) -> dict[int, float]:
        """Learning rates by the step after which they hold."""
        return {one.event.step: one.event.new for one in self.store.events(run) if isinstance(one.event, HyperChanged)}

    def pid(self, run: str) -> int:
        with sqlite3.connect(self.home / "runs.db") as connection:
            (pid,) = connection.execute("SELECT pid FROM runs WHERE id=?", (run,)).fetchone()
        connection.close()
        return int(pid)

    def close(self) -> None:
        self.client.shutdown()
        self.store.close()


@pytest.fixture(scope="module")
def demo_environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(DEMO)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, demo_environment: None) -> Iterator[DemoPool]:
    """One pool for the tests of a module that leave its supervisor alone."""
    pool = DemoPool(tmp_path_factory.mktemp("pool") / "home", max_running=8)
    yield pool
    pool.close()


@pytest.fixture
def make_pool(tmp_path: Path, demo_environment: None) -> Iterator[Callable[..., DemoPool]]:
    """Pools of this test's own."""
    pools: list[DemoPool] = []

    def make(home: Path | None = None, **settings: float) -> DemoPool:
        pools.append(DemoPool(home or tmp_path / "home", **settings))
        return pools[-1]

    yield make
    for one in pools:
        one.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes that are killed on a busy machine: such a test gets a second try, which the report names."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))
