"""What people say of runs, in a real pool."""

import os
import signal

import pytest

from core.errors import SpecError
from core.events import Stop
from core.history import History
from core.jobs.job import Deleted
from tests.core.jobs.demo_jobs import Count


def test_a_client_names_tags_deletes_and_restores_in_a_real_pool(pool):
    run = pool.end(Count(steps=30)).id
    going = pool.client.submit(Count(steps=5000, step_s=0.01))
    pool.client.annotate(run, name="counted", note="thirty")
    pool.client.tag([run, going], add=["demo"])
    rows = {row.id: row for row in pool.store.rows()}
    assert (rows[run].name, rows[run].note, rows[run].tags, rows[going].tags) == ("counted", "thirty", ("demo",), ("demo",))
    assert rows[run].figures["steps"] == 30
    with pytest.raises(SpecError, match="has not ended"):
        pool.client.delete([going])
    assert pool.client.delete([run, going]) == Deleted((run,), (going,))
    assert [row.id for row in pool.store.rows()] == [going]
    pool.client.restore([run])
    pool.client.command(going, Stop())
    pool.wait_for(going, "stopped")
    pool.client.delete([run])
    assert pool.client.empty_bin() == Deleted((run,))
    pool.wait(lambda: pool.store.run(run) is None)


def test_after_a_lost_worker_the_line_is_that_of_the_whole_log(pool):
    run = pool.client.submit(Count(seed=7, steps=120, step_s=0.005))
    pool.wait_for_step(run, 30)
    os.kill(pool.pid(run), signal.SIGKILL)
    pool.wait_for(run, "finished")
    history = History()
    for logged in pool.store.events(run):
        history.append(logged.event)
    row = next(row for row in pool.store.rows() if row.id == run)
    assert row.figures["steps"] == history.step == 120
    assert list(pool.store.curves([run])[run].losses) == pytest.approx(list(history.losses[0]), rel=1e-6)
