"""Limits of a real pool: time of work, one run at once for each visitor, threads of a worker's arithmetic."""

import pytest

from core.events import Finished, Noticed, Resume, Started
from core.jobs.training import TrainJob
from tests.core.jobs.real_pool import RealPool
from tests.core.samples import spiral

pytestmark = pytest.mark.slow

ADA, BOB = "a" * 32, "b" * 32


@pytest.mark.fault(77)
def test_runs_end_at_their_limit_of_time_take_turns_and_can_be_resumed(tmp_path):
    pool = RealPool(tmp_path / "home", run_max_s=2.0, visitor_running=1, worker_threads=2, parked_workers=2)
    try:
        ada, bob = pool.client.of(ADA), pool.client.of(BOB)
        first, second = (ada.submit(TrainJob(experiment=spiral(steps=10**8, seed=seed))) for seed in (1, 2))
        other = bob.submit(TrainJob(experiment=spiral(steps=50)))
        pool.wait_for(first, "running", "stopping", "stopped")
        pool.wait_for(other, "starting", "running", "finished", "stopped")  # it waits no longer before the second
        place = (pool.client.places() or {}).get(second)
        assert place is None or (place.place, place.waits_for) == (1, "own")
        pool.wait_for(other, "finished", "stopped")  # on a busy machine two seconds are few
        record = pool.wait_for(first, "stopped")
        noticed, end = pool.events(first)[-2:]
        assert isinstance(noticed, Noticed)
        assert "worked for 2 seconds, which is the limit" in noticed.message
        assert end == Finished("stopped", record.last_step, end.elapsed_s)
        assert pool.checkpoints(first)[-1].step == record.last_step > 0
        started = next(event for event in pool.events(first) if isinstance(event, Started))
        assert started.fingerprint["threads"] == "2"
        assert pool.wait_for(second, "stopped").started >= record.finished
        ada.command(first, Resume())
        pool.wait_for_step(first, record.last_step + 1)
        assert pool.curve(first)
    finally:
        pool.close()
