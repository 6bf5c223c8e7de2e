"""An answer that others wait for too: who stops it waits no longer, and the work goes on for them."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.widgets import lens, lens_wait
from tests.dashboard.fake_reader import record


class Shared:
    """One run, which works until a test says otherwise; counts what was asked and stopped."""

    def __init__(self):
        self.record = record("a", "running")
        self.submitted, self.stopped = 0, []

    def run(self, run):
        return self.record

    def events(self, run, after=0, limit=10_000, *, name=None):
        return ()

    def submit(self, job):
        self.submitted += 1
        return "a"


@pytest.fixture
def shared(monkeypatch):
    made = Shared()
    resources = SimpleNamespace(reader=lambda: made, client=lambda: made)
    monkeypatch.setattr(lens, "resources", resources)
    monkeypatch.setattr(lens_wait, "resources", resources)
    monkeypatch.setattr(lens_wait, "send", lambda run, command: made.stopped.append((run, command)) or True)
    return made


def page():
    from core.jobs.lenses import GalleryJob
    from core.results.examples import ExampleGallery
    from dashboard.widgets.lens import look
    from tests.core.samples import spiral

    look(GalleryJob(data=spiral().data), ExampleGallery, print, key="look")


def test_who_stops_what_goes_on_for_others_is_told_and_may_ask_again(shared):
    at = AppTest.from_function(page).run()
    at.button(key="look.stop").click().run()
    assert [run for run, _ in shared.stopped] == ["a"]
    assert [info.value for info in at.info] == ["Stopped."]
    at.button(key="look.again").click().run()
    assert shared.submitted == 2
    assert [button.label for button in at.button] == ["Stop"]
    assert not at.exception


def test_a_run_that_is_being_stopped_is_shown_until_it_has_ended(shared):
    at = AppTest.from_function(page).run()
    shared.record = replace(shared.record, state="stopping")
    at.button(key="look.stop").click().run()
    assert [button.label for button in at.button] == ["Stop"]
    shared.record = replace(shared.record, state="stopped")
    at.run()
    assert [info.value for info in at.info] == ["Stopped."]
