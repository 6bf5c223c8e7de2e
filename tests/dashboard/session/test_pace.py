"""The more pages look again by themselves, the more rarely each does."""

from types import SimpleNamespace

import pytest

from dashboard.session import pace


@pytest.fixture
def clock(monkeypatch):
    """A clock to set, and who asks."""
    now = SimpleNamespace(s=100.0, session="a")
    monkeypatch.setattr(pace, "_looked", {})
    monkeypatch.setattr(pace.time, "monotonic", lambda: now.s)
    monkeypatch.setattr(pace, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id=now.session))
    return now


def test_a_page_that_is_alone_looks_as_often_as_it_likes(clock):
    assert [pace.every(0.25), pace.every(0.25), pace.every(10.0)] == [0.25, 0.25, 10.0]


@pytest.mark.fault(134)
def test_all_pages_together_look_no_more_often_than_the_server_can_bear(clock):
    for n in range(1, 201):
        clock.session = f"session {n}"
        wait = pace.every(0.25)
        assert n / wait <= max(pace.LOOKS_PER_S, n / 0.25 if n <= 4 else 0) + 1e-9
    assert wait == 200 / pace.LOOKS_PER_S


def test_a_page_that_has_not_looked_for_long_counts_no_more(clock):
    for n in range(64):
        clock.session = f"session {n}"
        pace.every(0.25)
    clock.s += pace.FORGOTTEN_S - 1
    clock.session = "session 0"
    pace.present()
    clock.s += 2
    assert pace.n_looking() == 1
