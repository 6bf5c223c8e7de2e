"""Whose pages are open: a session that stands still counts as long as its socket is connected."""

from streamlit import runtime

from dashboard.session import present
from dashboard.session.present import FORGET_S, OpenPages

ADA, BOB = "a" * 32, "b" * 32


def test_open_pages_count_however_long_ago_they_were_drawn_and_closed_ones_do_not():
    now, active = [0.0], {"1", "2", "3"}
    pages = OpenPages(active.__contains__, lambda: now[0])
    for session, owner in (("1", ADA), ("2", ADA), ("3", BOB)):
        pages.note(session, owner)
    now[0] = 10 * FORGET_S
    assert pages.owners() == {ADA, BOB}
    active -= {"1", "3"}
    assert pages.owners() == {ADA}
    active.add("3")  # the connection was lost for a moment: Streamlit takes up the same session, and draws nothing
    assert pages.owners() == {ADA, BOB}


def test_sessions_that_do_not_come_back_are_forgotten():
    now, active = [0.0], {"1"}
    pages = OpenPages(active.__contains__, lambda: now[0])
    pages.note("1", ADA)
    assert pages.owners() == {ADA}
    active.clear()
    now[0] = FORGET_S + 1
    assert pages.owners() == frozenset()
    assert not pages._owners
    assert not pages._seen


def test_a_session_may_change_its_space():
    pages = OpenPages(lambda session: True)
    pages.note("1", ADA)
    pages.note("1", BOB)
    assert pages.owners() == {BOB}


def test_the_server_can_be_asked_for_an_open_session():
    """What this rests on is there in this version of Streamlit."""
    assert callable(runtime.Runtime.is_active_session)
    assert not present._is_open("nobody")
