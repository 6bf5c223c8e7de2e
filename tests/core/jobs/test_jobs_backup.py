"""A backup of a supervisor at work: what had ended is equal byte for byte, and what had not goes on to the curve that it would
have had."""

import pytest

from core.store.backup import back_up
from core.store.restore import restore
from tests.core.jobs.demo_jobs import Count, curve


@pytest.mark.fault(97)
def test_a_run_of_a_backup_made_at_work_goes_on_where_it_is_restored(make_pool, tmp_path):
    pool = make_pool()
    done = pool.end(Count(seed=3, steps=20)).id
    going = pool.client.submit(Count(seed=5, steps=120, step_s=0.02))
    pool.wait_for_step(going, 40)
    back_up(pool.home, tmp_path / "b.zip")
    assert pool.state(going) == "running"
    restore(tmp_path / "b.zip", tmp_path / "new")
    again = make_pool(tmp_path / "new")
    assert again.store.events(done) == pool.store.events(done)
    for one in pool.store.artifacts(done):
        assert again.client.artifact_bytes(done, one.name) == pool.client.artifact_bytes(done, one.name)
    again.client.ensure_supervisor()
    again.wait_for(going, "finished")
    assert again.curve(going) == curve(5, 120)
