"""The banner of a run that ended early: what happened, from where it would go on, and the button."""

import pytest
from streamlit.testing.v1 import AppTest

from core.events import Failed, Finished, Noticed, Resume
from core.experiment.examples import default_experiment
from dashboard.session import resources
from tests.dashboard.store_client import StoreClient

LEFT = Noticed("warning", "left", "You had no page open for 15 minutes, so this run was stopped at its last step.", "")
NO_CHECKPOINT = "Resume starts it over from step 0"


def page() -> None:
    import streamlit as st

    from dashboard.session import resources
    from dashboard.widgets.resume import resume

    resume(resources.reader().run(st.query_params["run"]), key="test")


@pytest.fixture
def client(home, monkeypatch):
    client = StoreClient(home)
    client.sent = []
    client.command = lambda run, command: client.sent.append((run, command))
    monkeypatch.setattr(resources, "client", lambda: client)
    monkeypatch.setattr(resources, "reader", lambda: client.store)
    yield client
    client.close()


def shown(client, *events, **columns):
    """The page of a run that ended so, and the run."""
    run = client.put(default_experiment("digits"), events, **columns)
    app = AppTest.from_function(page, default_timeout=30)
    app.query_params["run"] = run
    app.run()
    assert not app.exception
    return app, run


@pytest.mark.parametrize(
    ("events", "columns", "words"),
    [
        ([Finished("stopped", 1200, 1.0)], {"state": "stopped"}, "This run was stopped after step 1,200."),
        ([LEFT, Finished("stopped", 1200, 1.0)], {"state": "stopped"}, f"stopped after step 1,200. {LEFT.message}"),
        ([Failed("hung", "It hung.", "", 1200)], {"state": "failed"}, "This run failed after step 1,200. It hung."),
        (
            [Failed("worker-lost", "Lost.", "", 1200)],
            {"state": "interrupted"},
            "This run was interrupted after step 1,200. Lost.",
        ),
    ],
)
def test_a_run_that_ended_early_says_what_happened_and_can_be_resumed(client, events, columns, words):
    app, run = shown(client, *events, last_step=1200, **columns)
    said = [element.value for element in app.text]
    assert words in said[0]
    assert NO_CHECKPOINT in said[1]
    app.button(key="test.go_on").click().run()
    assert client.sent == [(run, Resume())]


@pytest.mark.parametrize(
    ("events", "columns"),
    [
        ([Finished("completed", 9, 1.0)], {"state": "finished"}),
        ([Failed("diverged", "NaN.", "", 9)], {"state": "failed"}),
        ([Failed("spec-error", "No.", "", 9)], {"state": "failed"}),
        ([Finished("stopped", 9, 1.0)], {"state": "stopped", "owner": "f" * 32}),
        ([], {"state": "running"}),
    ],
)
def test_a_run_that_cannot_go_on_or_is_somebody_elses_has_no_banner(client, events, columns):
    app, _ = shown(client, *events, **columns)
    assert list(app.button) == list(app.text) == []
