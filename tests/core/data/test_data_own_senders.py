"""Whose uploads are, and for whom they make room."""

import os

import pytest

from core.data.own.keep import MIB, kept_upload, store_upload
from core.data.own.senders import NOBODY, Sender, files_of, forget_unused, senders_of
from core.errors import TooExpensive
from core.settings import Settings

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, upload_mb=4, uploads_mb=8, visitor_uploads_mb=4, visitor_stored_mb=100)


class Clock:
    """Files get older in the order in which they were sent."""

    n = 0


def send(settings, letter, mb, owner=ADA, **more):
    """A file of so many MB, older than those that follow."""
    sender = Sender(owner, **more) if owner else NOBODY
    digest = store_upload(letter.encode() * int(mb * MIB), f"{letter}.csv", settings, sender)
    Clock.n += 1
    os.utime(settings.home / "uploads" / digest, (1e9 + Clock.n, 1e9 + Clock.n))
    return digest


def kept(settings, owner=ADA):
    return [one.digest for one in files_of(owner, settings)]


def test_a_visitors_oldest_files_make_room_for_a_new_one(settings):
    first, second, third = (send(settings, letter, 1.5) for letter in "abc")
    assert kept(settings) == [second, third]
    assert not (settings.home / "uploads" / first).exists()
    kept_upload(second, settings)
    fourth = send(settings, "d", 1.5)
    assert set(kept(settings)) == {second, fourth}  # what was used since is younger


@pytest.mark.fault(80)
def test_nobody_loses_a_file_because_another_visitor_sends(settings):
    hers, his = [send(settings, letter, 2) for letter in "ab"], [send(settings, letter, 2, BOB) for letter in "cd"]
    more = [send(settings, letter, 2, BOB) for letter in "ef"]
    assert (kept(settings), kept(settings, BOB)) == (hers, more)
    with pytest.raises(TooExpensive, match=r"the files of all visitors hold 8.0 MB: the server keeps 8 MB") as caught:
        send(settings, "g", 1, "c" * 32)
    assert "host" in caught.value.hint
    assert not set(his) & set(kept(settings, BOB))


def test_files_of_nobody_in_particular_make_room_for_everybody(settings):
    old = [send(settings, letter, 2, owner="") for letter in "abcd"]
    new = send(settings, "e", 2)
    assert (kept(settings, ""), kept(settings)) == (old[1:], [new])
    send(settings, "f", 2, owner="")
    assert kept(settings) == [new]


def test_a_file_that_two_sent_stays_until_both_have_let_it_go(settings):
    shared = send(settings, "a", 2)
    assert send(settings, "a", 2, BOB) == shared
    assert senders_of(shared, settings) == (ADA, BOB)
    send(settings, "b", 3)
    assert (kept(settings, BOB), shared in kept(settings)) == ([shared], False)
    assert kept_upload(shared, settings)
    send(settings, "c", 3, BOB)
    assert not (settings.home / "uploads" / shared).exists()


def test_what_an_unfinished_run_needs_stays_and_the_rest_of_the_refusal_says_so(settings):
    first, second = send(settings, "a", 2), send(settings, "b", 2)
    third = send(settings, "c", 2, needed=lambda: f'{{"file":"{first}"}}')
    assert kept(settings) == [first, third]
    with pytest.raises(TooExpensive, match="unfinished runs need files of yours: the server keeps 4 MB"):
        send(settings, "d", 2, needed=lambda: first + third)
    assert kept(settings) == [first, third]
    assert second not in kept(settings)


@pytest.mark.fault(76)
def test_runs_and_files_together_have_a_limit_and_a_refused_file_costs_nobody_anything(settings):
    first = send(settings, "a", 1)
    with pytest.raises(TooExpensive, match=r"This file has 2.0 MB and your runs and files hold 100.0 MB") as caught:
        send(settings, "b", 2, run_bytes=99 * MIB)
    assert "Delete runs" in caught.value.hint
    assert kept(settings) == [first]
    second = send(settings, "c", 1, run_bytes=99 * MIB)  # its own file goes for it
    assert kept(settings) == [second]


@pytest.mark.parametrize("owner", ["../../etc", "x/y", "A" * 32, "\x00", "é" * 80])
def test_a_strange_owner_names_no_folder(settings, owner):
    digest = send(settings, "a", 1, owner)
    (folder,) = (settings.home / "senders").iterdir()
    assert len(folder.name) == 32
    assert [path.name for path in folder.iterdir()] == [digest]
    assert kept(settings, owner) == [digest]


def test_the_same_file_again_takes_no_more_room(settings):
    first = send(settings, "a", 3)
    assert send(settings, "a", 3) == first
    assert kept(settings) == [first]


def test_files_that_nobody_has_used_for_long_go_from_all_who_sent_them_unless_a_run_needs_them(settings):
    old, needed, young = send(settings, "a", 1), send(settings, "b", 1), send(settings, "c", 1)
    send(settings, "a", 1, BOB)
    for digest, when in ((old, 100), (needed, 100), (young, 900)):
        os.utime(settings.home / "uploads" / digest, (when, when))
    assert forget_unused(settings, 500.0, f"a job with {needed}") == 1
    assert kept(settings) == [needed, young]
    assert kept(settings, BOB) == []
    assert not senders_of(old, settings)
    assert not (settings.home / "uploads" / old).exists()
