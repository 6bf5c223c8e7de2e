"""A page looks once for all that it waits for."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import StoreError
from dashboard.widgets import lens_wait
from tests.dashboard.fake_reader import record


class Waiting:
    """Lens runs by id; counts what was asked."""

    def __init__(self):
        self.records = {run: replace(record(run, "queued"), started=None) for run in ("a", "b", "c")}
        self.asked = []
        self.error = None

    def run(self, run):
        self.asked.append(run)
        if self.error:
            raise self.error
        return self.records.get(run)

    def events(self, run, after=0, limit=10_000, *, name=None):
        return ()

    def queue_position(self, run):
        return "abc".index(run) + 1


@pytest.fixture
def reader(monkeypatch):
    made = Waiting()
    monkeypatch.setattr(lens_wait, "resources", SimpleNamespace(reader=lambda: made))
    return made


@pytest.fixture
def fragments(monkeypatch):
    """How often each fragment that was made runs again, in seconds."""
    made, real = [], lens_wait.st.fragment
    monkeypatch.setattr(lens_wait.st, "fragment", lambda draw, run_every=None: made.append(run_every) or real(draw))
    return made


def page():
    import streamlit as st

    from dashboard.widgets.lens_wait import is_any_unfinished, resources, wait_for, waiting_together, waits_of_page

    with waiting_together():
        waits = waits_of_page()
        for run in "abc":
            wait_for(run, resources.reader().run(run), f"place.{run}", is_long=False)
    st.text(f"{len(waits)} waits, {'unfinished' if is_any_unfinished(waits) else 'over'}")


@pytest.mark.fault(134)
def test_three_waits_of_one_page_cost_one_look(reader, fragments):
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert fragments == [lens_wait.POLL_S]
    assert [button.label for button in at.button] == ["Stop"] * 3
    assert at.text[-1].value == "3 waits, unfinished"
    assert [bar.proto.text for bar in at.get("progress")] == [f"Waiting: {n} before this one" for n in (1, 2, 3)]


def test_what_works_for_long_has_a_bar_that_moves_at_its_own_place(reader, fragments):
    reader.records["b"] = replace(record("b", "running"), started=time.time() - 2 * lens_wait.SHOWN_S)
    reader.records["c"] = replace(record("c", "running"), started=time.time())
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert sorted(fragments) == [lens_wait.POLL_S, lens_wait.DRAW_S]
    assert [button.label for button in at.button] == ["Stop"] * 3


def test_outside_of_a_page_each_wait_looks_for_itself(reader, fragments):
    def alone():
        from dashboard.widgets.lens_wait import wait_for

        wait_for("a", None, "place.a", is_long=False)
        wait_for("b", None, "place.b", is_long=True)

    assert not AppTest.from_function(alone).run().exception
    assert len(fragments) == 2


def test_a_store_that_cannot_be_read_is_said_in_words(reader, fragments):
    reader.error = StoreError("The disk is gone.", hint="Bring it back.")

    def once():
        from dashboard.widgets.lens_wait import wait_for, waiting_together

        with waiting_together():
            for run in "abc":
                wait_for(run, None, f"place.{run}", is_long=False)

    at = AppTest.from_function(once).run()
    assert {one.value for one in at.text} == {"The disk is gone.", "Bring it back."}


def test_what_has_ended_is_over(reader):
    ended = {run: replace(one, state="finished") for run, one in reader.records.items()}
    waits = [lens_wait.Wait(run, is_moving=False) for run in "abc"]
    assert lens_wait.is_any_unfinished(waits)
    reader.records = ended
    assert not lens_wait.is_any_unfinished(waits)
    assert not lens_wait.is_any_unfinished([])
