"""Whose runs these are, at the supervisor itself: who has a run's id may watch it, and no more."""

import secrets

import pytest

from core.errors import NotYours, SpecError
from core.events import AddLane, Pause, RemoveLane, Resume, SetHyper, SetSpeed, Step, Stop
from core.jobs.pool.control import ask
from core.jobs.pool.ownership import owner_of
from tests.core.jobs.demo_jobs import Count

ANNA, BEN = "a" * 32, "b" * 32
COMMANDS = [Pause(), Resume(), Step(1, "step"), SetSpeed(1.0), SetHyper(0, "lr", 0.5), RemoveLane(0), AddLane("{}"), Stop()]


@pytest.fixture(scope="module")
def annas(pool) -> str:
    """A run of Anna's that goes on for as long as this module."""
    run = pool.client.of(ANNA).submit(Count(seed=41, steps=100_000, step_s=0.02, checkpoint_every=0))
    pool.wait_for_step(run, 1)
    return run


@pytest.mark.fault(67)
@pytest.mark.fault(73)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_who_has_the_id_of_a_run_cannot_change_it(pool, annas, command) -> None:
    assert pool.store.run(annas).owner == ANNA  # the id shows it to everybody
    with pytest.raises(NotYours, match="belongs to somebody else"):
        pool.client.of(BEN).command(annas, command)
    assert pool.state(annas) == "running"


@pytest.mark.fault(73)
def test_neither_name_nor_tags_nor_place_of_a_strangers_run_can_be_changed(pool, annas) -> None:
    run = pool.client.of(ANNA).submit(Count(seed=42, steps=2))
    pool.wait_for(run, "finished")
    own = pool.client.of(BEN).submit(Count(seed=43, steps=2))
    pool.wait_for(own, "finished")
    stranger = pool.client.of(BEN)
    for change in (
        lambda: stranger.annotate(run, name="mine now"),
        lambda: stranger.tag([own, run], add=["mine"]),
        lambda: stranger.delete([own, run]),
        lambda: stranger.restore([run]),
    ):
        with pytest.raises(NotYours):
            change()
    assert not any(row.tags or row.deleted for row in pool.store.rows(with_deleted=True) if row.id in (run, own))
    pool.client.of(ANNA).delete([run])
    stranger.delete([own])
    with pytest.raises(NotYours):
        stranger.restore([run])
    assert stranger.empty_bin().runs == (own,)
    pool.client.of(ANNA).restore([run])
    assert pool.store.run(run) is not None


def test_the_host_may_and_what_is_nobodys_is_everybodys(pool, annas) -> None:
    pool.client.of(BEN, is_host=True).command(annas, SetSpeed(50.0))
    free = pool.client.submit(Count(seed=44, steps=100_000, step_s=0.02))
    pool.wait_for_step(free, 1)
    pool.client.of(BEN).command(free, Stop())
    pool.wait_for(free, "stopped")


@pytest.mark.fault(67)
@pytest.mark.parametrize("run", ["0" * 32, "-1", str(2**63), "9" * 400, "", "../runs.db", "%2e%2e", "a' OR '1'='1", "\x00"])
def test_a_guessed_id_is_no_run(pool, run) -> None:
    assert pool.store.run(run) is None
    with pytest.raises(SpecError, match="There is no such run"):
        pool.client.of(BEN).command(run, Stop())
    with pytest.raises(SpecError, match="There is no such run"):
        pool.client.of(BEN).delete([run])


@pytest.mark.fault(74)
def test_a_request_that_comes_twice_is_done_once(pool) -> None:
    job = Count(seed=45, steps=100_000, step_s=0.02)
    request = {"ask": "submit", "run": secrets.token_hex(16), "job": job.model_dump_json(), "owner": "", "name": "", "by": ANNA}
    answers = [ask(pool.home, request, timeout_s=5) for _again in range(3)]
    assert answers == [{"run": request["run"]}] * 3
    assert len([one for one in pool.store.runs(owner=ANNA, limit=100) if one.key == job.key()]) == 1
    pool.wait_for_step(request["run"], 1)
    pool.client.of(ANNA).command(request["run"], Stop())
    pool.wait_for(request["run"], "stopped")
    pool.client.of(ANNA).command(request["run"], Stop())  # nothing is left to stop
    with pytest.raises(SpecError, match="it takes no commands"):
        pool.client.of(ANNA).command(request["run"], Pause())
    assert ask(pool.home, request | {"by": BEN}, timeout_s=5) == {"run": request["run"]}  # replayed by another: nothing happens
    assert pool.store.run(request["run"]).owner == ANNA
    assert pool.state(request["run"]) == "stopped"


@pytest.mark.parametrize("owner", [7, None, ["a"], "x" * 500, "a\nb", "\u202e"])
def test_an_owner_that_is_none_is_refused(owner) -> None:
    with pytest.raises(SpecError, match="owner"):
        owner_of({"by": owner})
