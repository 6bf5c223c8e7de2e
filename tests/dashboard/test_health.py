"""/healthz: right, cheap, patient with nothing, and silent about everybody; and what the server counts of itself."""

import asyncio
import json
import threading
import time
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from core.errors import PoolError, StoreError
from core.jobs.job import PoolStatus
from core.process import machine_memory, resident_bytes
from dashboard import health
from dashboard.health import HealthRoute, health_route
from dashboard.session import vitals
from dashboard.session.vitals import MOST_SAMPLES, Pulse, Vitals, store_size

WELL = Pulse(True, PoolStatus(True, False, 3, 2))


def serve(look):
    return TestClient(Starlette(routes=[health_route(look)]), base_url="http://localhost")


@pytest.mark.parametrize(
    ("pulse", "code", "says"),
    [
        (WELL, 200, {"status": "ok", "store": True, "supervisor": True, "warm": True, "running": 3, "queued": 2}),
        (Pulse(True, None), 503, {"status": "degraded", "store": True, "supervisor": False, "warm": False, "running": None}),
        (Pulse(False, WELL.status), 503, {"status": "degraded", "store": False, "supervisor": True}),
    ],
)
def test_it_is_well_while_the_store_and_the_supervisor_are_there(pulse, code, says):
    answer = serve(lambda: pulse).get("/healthz")
    assert answer.status_code == code
    assert answer.json().items() >= says.items()
    assert answer.headers["cache-control"] == "no-store"


def test_what_it_says_is_of_nobody():
    assert set(serve(lambda: WELL).get("/healthz").json()) == {
        *("status", "version", "store", "supervisor", "warm", "running", "queued")
    }


def ask(route: HealthRoute) -> tuple[int, dict]:
    async def once():
        answer = await route(Request({"type": "http"}))
        return answer.status_code, json.loads(answer.body)

    return once()


def test_a_hundred_who_ask_at_once_cost_one_look():
    looks = []

    def look():
        looks.append(threading.current_thread())
        return WELL

    async def many():
        route = HealthRoute(look)
        return await asyncio.gather(*(ask(route) for _ in range(100)))

    assert {code for code, _ in asyncio.run(many())} == {200}
    assert len(looks) == 1
    assert looks[0] is not threading.main_thread()


def test_an_old_answer_is_looked_at_anew(monkeypatch):
    monkeypatch.setattr(health, "KEPT_S", 0.0)
    found = [WELL, Pulse(True, None)]

    async def twice():
        route = HealthRoute(lambda: found.pop(0))
        return [(await ask(route))[0] for _ in range(2)]

    assert asyncio.run(twice()) == [200, 503]


def test_a_look_that_hangs_or_fails_is_no_answer_that_hangs_or_fails(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    is_over = threading.Event()

    async def hanging():
        route = HealthRoute(lambda: is_over.wait(20))
        answers = await asyncio.gather(ask(route), ask(route))
        is_over.set()
        return answers

    assert [code for code, _ in asyncio.run(hanging())] == [503, 503]

    def bug():
        raise RuntimeError("canary")

    code, says = asyncio.run(ask(HealthRoute(bug)))
    assert (code, says["status"]) == (503, "degraded")
    assert "canary" not in str(says)


class Pool:
    """A way to the supervisor whose answers a test chooses."""

    def __init__(self, status=WELL.status, store_error=None, error=None):
        self._answers, self._error = status, error

        def run(run):
            if store_error:
                raise store_error

        self.store = SimpleNamespace(run=run)

    def pulse(self, timeout_s):
        if self._error:
            raise self._error
        return self._answers

    health = pulse


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (Pool(), WELL),
        (Pool(status=None), Pulse(True, None)),
        (Pool(store_error=StoreError("damaged")), Pulse(False, WELL.status)),
        (Pool(error=PoolError("strange")), Pulse(True, None)),
        (Pool(error=KeyError("status")), Pulse(True, None)),
    ],
)
def test_the_pulse_says_which_part_is_missing(pool, expected):
    assert Vitals(lambda: pool).pulse() == expected


def test_samples_are_bounded_and_count_what_is_open():
    watched = Vitals(Pool)
    watched.count("runs", lambda: 4)
    watched.count("rooms", lambda: 2)
    for _ in range(MOST_SAMPLES + 20):
        watched.sample()
    assert len(watched.samples()) == MOST_SAMPLES
    last = watched.samples()[-1]
    assert (last.running, last.queued, last.streams, last.pages) == (3, 2, 6, 0)
    assert abs(last.time - time.time()) < 60


def test_a_supervisor_that_is_gone_leaves_a_gap():
    assert Vitals(lambda: Pool(status=None)).sample().running is None
    assert Vitals(lambda: Pool(error=PoolError("strange"))).pool_health() is None


def test_sizes_on_the_disk_are_those_of_the_files(tmp_path):
    assert store_size(tmp_path / "none").database == 0
    (tmp_path / "uploads").mkdir()
    for name, n in (("runs.db", 5000), ("runs.db-wal", 70), ("uploads/a", 300), ("uploads/b", 4)):
        (tmp_path / name).write_bytes(bytes(n))
    size = store_size(tmp_path)
    assert (size.database, size.uploads, size.n_uploads, size.logs) == (5070, 304, 2, 0)
    assert size.free > 0


def test_memory_is_what_the_kernel_says(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    held = bytearray(60 * 2**20)
    assert resident_bytes() > 60 * 2**20
    assert resident_bytes() <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 * 1.05
    assert resident_bytes(2**22 + 1) is None
    total, free = machine_memory()
    assert 0 < free <= total
    assert len(held) > 0
    monkeypatch.setattr("core.process.CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert machine_memory() == (1000000, 600000)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine_memory()[0] == total
    (tmp_path / "memory").mkdir()  # a container of the older kind
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("2000000\n")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("500000\n")
    assert machine_memory() == (2000000, 1500000)
    monkeypatch.setattr("core.process.PROC", tmp_path)
    assert machine_memory() is resident_bytes() is None


def test_there_is_one_for_the_whole_server():
    assert vitals.vitals() is vitals.vitals()
