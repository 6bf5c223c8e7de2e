"""What the supervisor tells its host: all workers and who waits, bounded, and to nobody else."""

import json
import time

import pytest

from core.errors import NotYours, SpecError
from core.events import Stop
from core.jobs.pool import health
from core.jobs.pool.control import MAX_LINE_BYTES
from core.jobs.pool_health import PoolHealth
from tests.core.jobs.demo_jobs import Count
from tests.core.jobs.test_jobs_clearing import make_desk  # noqa: F401  a fixture
from tests.core.jobs.test_jobs_library import A, B

OWNER = "a1" * 16


def test_the_host_sees_workers_runs_and_queue_of_a_real_pool(make_pool):
    pool = make_pool(max_running=1)
    run = pool.client.submit(Count(seed=3, steps=2000, step_s=0.02), owner=OWNER)
    pool.wait_for_step(run, 3)
    waiting = pool.client.submit(Count(seed=4), owner=OWNER)
    told = pool.client.health()
    (working,) = (one for one in told.workers if one.run)
    assert (working.run, working.pid, working.kind, working.owner, working.state) == (
        run,
        pool.pid(run),
        "count",
        OWNER,
        "running",
    )
    assert working.n_bytes > 2**20
    assert [one.run for one in told.waiting] == [waiting]
    assert (told.n_waiting, told.n_runs) == (1, 2)
    assert told.n_workers == len(told.workers) >= 1
    assert told.stored_bytes == pool.store.stored_bytes() > 0
    with pytest.raises(NotYours):
        pool.client.of(OWNER).health()
    host = pool.client.of("b2" * 16, is_host=True)
    assert host.health().n_runs == 2
    with pytest.raises(NotYours):
        pool.client.of("b2" * 16).command(run, Stop())
    host.command(run, Stop())
    pool.wait_for(run, "stopped")
    assert pool.client.pulse(5.0) is not None


def test_a_client_without_a_supervisor_hears_nothing_and_starts_none(make_pool):
    pool = make_pool()
    assert (pool.client.pulse(1.0), pool.client.health(1.0)) == (None, None)
    assert not (pool.home / "runs.db").exists()


def test_the_answer_fits_into_its_line_whatever_waits(make_desk, demo_environment):  # noqa: F811
    desk = make_desk()
    desk.engine.parked = lambda: ()
    desk.submit(A, Count(), state="finished")
    desk.submit(B, Count(), state="queued")

    def copies():
        for n in range(1000):
            one = desk.writer.run(B)
            desk.writer.create(type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"id": f"{n:032x}"}))

    desk.write(copies)
    answer = desk.ask(ask="health")
    assert len(json.dumps(answer)) < MAX_LINE_BYTES / 2
    told = PoolHealth.of(answer["health"])
    assert (told.n_waiting, len(told.waiting)) == (1001, health.MOST_ROWS)
    assert told.waiting[0].waits_s < time.time()
    with pytest.raises(SpecError, match="host alone"):
        desk.ask(ask="health", by=OWNER)
