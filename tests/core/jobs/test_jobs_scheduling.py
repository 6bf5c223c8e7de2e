"""Which checkpoints stay."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TooExpensive
from core.jobs.pool.scheduling import MAX_CHECKPOINTS, check_room, checkpoints_to_forget
from core.settings import Settings


def kept_after(steps):
    """What stays when the checkpoints come one by one, as they do."""
    kept: set[int] = set()
    for step in steps:
        kept |= {step}
        kept -= checkpoints_to_forget(kept)
    return sorted(kept)


@given(st.sets(st.integers(0, 10**7), max_size=80))
def test_the_first_and_the_last_two_stay_and_never_more_than_the_limit(steps):
    kept = steps - checkpoints_to_forget(steps)
    assert kept <= steps
    assert len(kept) == min(len(steps), MAX_CHECKPOINTS)
    assert {*sorted(steps)[:1], *sorted(steps)[-2:]} <= kept


@pytest.mark.parametrize("every", [1, 100, 977])
def test_a_long_run_keeps_checkpoints_of_all_its_ages(every):
    kept = kept_after(range(0, 3000 * every, every))
    assert (kept[0], kept[-2:]) == (0, [2998 * every, 2999 * every])
    ratios = [(after + every) / (before + every) for before, after in itertools.pairwise(kept)]
    assert max(ratios) < 2.5  # 24 of 3,000 spread evenly would be 1.4 apart, and twice that at the start


def test_few_checkpoints_all_stay():
    assert checkpoints_to_forget(range(MAX_CHECKPOINTS)) == set()
    assert checkpoints_to_forget([]) == set()


@pytest.mark.parametrize(("lane", "limit"), [("training", 5), ("lens", 7)])
def test_there_is_room_up_to_the_limit_of_each_lane(lane, limit):
    settings = Settings(max_running=2, max_queued=3, max_lens_queued=7)
    check_room(lane, limit - 1, settings)
    with pytest.raises(TooExpensive, match=f"{limit} runs are unfinished, the limit is {limit}"):
        check_room(lane, limit, settings)
