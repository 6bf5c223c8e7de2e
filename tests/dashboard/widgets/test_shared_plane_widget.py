"""The plane is drawn when it is asked for, says what it is, and goes further when the run has."""

import csv
import io

import pytest
from streamlit.testing.v1 import AppTest

from core.events import Artifact, ArtifactSaved
from core.jobs.plane_lenses import COARSE, FINE, SharedPlaneJob
from core.jobs.training import TrainJob
from core.settings import Settings
from core.store.protocol import ArtifactRecord
from dashboard.session import resources
from dashboard.widgets import shared_plane as widget
from dashboard.widgets.shared_plane import in_words, table
from tests.core.samples import spiral
from tests.dashboard.figures.test_shared_plane_figure import PLANE
from tests.dashboard.inline_client import InlineClient

LANES = (*spiral("sgd", 0.1).lanes, *spiral("adam", 0.05).lanes)


def page():
    import streamlit as st

    from dashboard.session import resources
    from dashboard.widgets.shared_plane import shared_plane

    shared_plane(resources.reader().run(st.session_state["run"]), key="here")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(widget, "FINE", 5)
    return fake


def shown(client, checkpoints=(2, 5, 9), **changes) -> AppTest:
    """The page of a run with the checkpoints of shorter ones of the same experiment."""
    race = spiral(steps=12, lanes=LANES, **changes)
    run = client.submit(TrainJob(experiment=race))
    for steps in checkpoints:
        other = client.submit(TrainJob(experiment=race.but(budget=race.budget.but(steps=steps))))
        for saved in client.store.saved[other]:
            data = client.shelf.read(other, saved.name, saved.sha256)
            event = client.shelf.put(run, _artifact(saved, data))
            client.store.saved[run].append(_row(run, event))
    if not checkpoints:
        client.store.saved[run] = client.store.saved[run][:2]
    app = AppTest.from_function(page, default_timeout=120)
    app.session_state["run"] = run
    app.run()
    assert not app.exception
    return app


def _artifact(saved, data):
    return Artifact(saved.name, "checkpoint", saved.step, data)


def _row(run: str, event: ArtifactSaved):
    return ArtifactRecord(run, event.name, event.kind, event.step, 0, event.n_bytes, event.sha256)


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.caption])


def test_without_enough_checkpoints_it_says_what_is_missing(client):
    app = shown(client, checkpoints=())
    assert "once the run has kept 3 checkpoints; it has 2" in texts(app)
    assert not app.button


def test_the_plane_is_drawn_when_asked_for_coarse_then_fine(client):
    app = shown(client)
    assert not [job for job in client.jobs if isinstance(job, SharedPlaneJob)]
    app.button(key="here.draw").click().run()
    assert not app.exception
    asked = [job for job in client.jobs if isinstance(job, SharedPlaneJob)]
    assert [job.side for job in asked] == [COARSE, 5]
    assert len(asked[0].checkpoints) >= 4
    assert len(app.get("plotly_chart")) == 1
    assert "of their variance" in texts(app)
    assert not [button for button in app.button if button.key == "here.draw"]


def test_another_seed_can_be_chosen(client):
    app = shown(client, repeats=2)
    app.selectbox(key="here.repeat").set_value(1).run()
    app.button(key="here.draw").click().run()
    assert not app.exception
    assert {job.repeat for job in client.jobs if isinstance(job, SharedPlaneJob)} == {1}


def test_words_say_how_much_is_seen():
    assert "explains 95.0% of their variance" in in_words(PLANE)
    assert "1,234 weights" in in_words(PLANE)
    assert FINE > COARSE


def test_the_table_has_a_row_per_checkpoint():
    rows = list(csv.DictReader(io.StringIO(table(PLANE))))
    assert len(rows) == 5
    assert (rows[4]["lane"], rows[4]["step"], float(rows[4]["loss"])) == ("2", "5", 0.125)
