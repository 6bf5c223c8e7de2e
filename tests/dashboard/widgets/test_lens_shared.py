"""An answer that others wait for too: who stops it waits no longer, and the work goes on for them."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import SpecError, StoreError
from dashboard.widgets import lens, lens_wait
from tests.dashboard.fake_reader import record


class Shared:
    """One run, which works until a test says otherwise; counts what was asked and stopped."""

    def __init__(self):
        self.record = record("a", "running")
        self.submitted, self.stopped, self.known = 0, [], None

    def run(self, run):
        return self.record

    def events(self, run, after=0, limit=10_000, *, name=None):
        return ()

    def by_key(self, key):
        return self.known

    def artifacts(self, run):
        return ()

    def artifact_bytes(self, run, name):
        raise StoreError("The file is gone.", hint="Ask again.")

    def submit_all(self, jobs):
        self.submitted += len(jobs)
        return ["a", SpecError("Too many.")][: len(jobs)]

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


def test_an_answer_that_is_there_is_not_asked_for_and_a_damaged_one_is(shared):
    shared.record = shared.known = record("a", "finished")
    at = AppTest.from_function(page).run()
    assert shared.submitted == 0
    assert any("The file is gone." in markdown.value for markdown in [*at.markdown, *at.text, *at.error])
    at.button(key="look.retry").click().run()
    assert shared.submitted == 1  # the supervisor looks whether its files are whole


def several():
    from core.jobs.lenses import GalleryJob
    from core.results.examples import ExampleGallery
    from dashboard.widgets.lens import ask_together, look
    from tests.core.samples import spiral

    jobs = {f"look{seed}": GalleryJob(data=spiral().data, seed=seed) for seed in (1, 2)}
    ask_together(jobs)
    for key, job in jobs.items():
        look(job, ExampleGallery, print, key=key)


def test_several_are_asked_for_at_once_and_one_that_is_refused_says_so_at_its_place(shared):
    at = AppTest.from_function(several).run()
    assert shared.submitted == 3  # two at once, and the refused one again where it is looked at
    at.run()
    assert shared.submitted == 3
