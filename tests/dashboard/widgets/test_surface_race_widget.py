"""The widget asks for the right race, keeps what was chosen, and says in words what cannot be."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PoolError
from core.experiment.lane import Lane
from core.optim.optimizers import SGD, Adam
from core.optim.surfaces import Himmelblau, Quadratic, Rosenbrock
from core.settings import Settings
from core.training.surface_race import surface_race
from dashboard.session import resources
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.components.test_surface_drawing import floats
from tests.dashboard.inline_client import InlineClient

LANES = (Lane(optimizer=SGD(lr=0.001)), Lane(optimizer=Adam(lr=0.1)))


def page():
    import streamlit as st

    from core.experiment.lane import Lane
    from core.optim.optimizers import SGD, Adam
    from core.optim.schedules import StepDecay
    from dashboard.widgets.surface_race import surface_race

    lanes = (Lane(optimizer=SGD(lr=0.001)), Lane(optimizer=Adam(lr=0.1)))
    if st.session_state.get("decays"):
        lanes = (Lane(optimizer=SGD(lr=0.001), schedule=StepDecay()),)
    surface_race(() if st.session_state.get("is_empty") else lanes, key="s")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


@pytest.fixture
def app(client) -> AppTest:
    found = AppTest.from_function(page, default_timeout=30)
    found.run()
    assert not found.exception
    found.number_input(key="s.n_steps").set_value(20).run()
    found.get("button_group")[0].set_value("own").run()
    return found


def drawn(app: AppTest) -> dict:
    assert not app.exception
    return component_data(app, "s.drawing")


def last(client: InlineClient):
    return client.jobs[-1].task


def test_the_paths_are_those_of_the_lanes_on_the_surface_chosen(app, client):
    assert (last(client).surface, last(client).n_steps, last(client).rates) == (Rosenbrock(), 20, "own")
    expected = surface_race(last(client), LANES)
    data = drawn(app)
    assert data["is_current"]
    assert data["paths"]["labels"] == ["SGD, lr 0.001", "Adam, lr 0.1"]
    np.testing.assert_allclose(floats(data["paths"]["positions"], 2, 21, 2), expected.positions, rtol=1e-6)


def test_another_surface_begins_at_its_usual_start_with_its_own_window(app, client):
    fire(app, "s.drawing", "look", {"seq": 1, "start": [0.0, 0.0], "centre": [0.0, 1.0], "half": 0.5})
    assert last(client).start == (0.0, 0.0)
    app.selectbox(key="s.surface.kind").set_value("himmelblau").run()
    data = drawn(app)
    assert (data["name"], data["start"], data["relief"]["view"]["half"]) == ("Himmelblau", list(Himmelblau.start), 6)
    assert last(client).n_steps == 20


def test_another_condition_number_keeps_the_start_and_says_the_limit(app, client):
    app.selectbox(key="s.surface.kind").set_value("quadratic").run()
    fire(app, "s.drawing", "look", {"seq": 1, "start": [1.0, 2.0], "centre": [0.0, 0.0], "half": 5.0})
    app.number_input(key="s.surface.quadratic.condition").set_value(40.0).run()
    assert (last(client).surface, last(client).start) == (Quadratic(condition=40), (1.0, 2.0))
    assert "below 0.05" in app.caption[0].value


def test_a_start_by_number_and_by_hand_are_the_same_thing(app, client):
    app.number_input(key="s.start.x").set_value(1.5).run()
    assert (last(client).start, drawn(app)["start"]) == ((1.5, 1.0), [1.5, 1.0])
    fire(app, "s.drawing", "look", {"seq": 3, "start": [-9.0, 0.25], "centre": [0.0, 1.0], "half": 2.0})
    assert (last(client).start, drawn(app)["ack"]) == ((-2.0, 0.25), 3)
    assert app.number_input(key="s.start.y").value == 0.25


def test_a_look_at_another_part_asks_for_no_new_race(app, client):
    n_jobs = len(client.jobs)
    before = drawn(app)["relief"]["levels"]
    fire(app, "s.drawing", "look", {"seq": 1, "start": [-1.2, 1.0], "centre": [1.0, 1.0], "half": 0.1})
    assert len(client.jobs) == n_jobs
    assert drawn(app)["relief"]["levels"] != before


def test_noise_brings_a_seed_and_a_schedule_brings_epochs(app, client):
    assert not [box for box in app.number_input if box.key in ("s.seed", "s.epochs")]
    app.number_input(key="s.noise").set_value(2.0).run()
    app.number_input(key="s.seed").set_value(5).run()
    assert (last(client).noise, last(client).seed) == (2.0, 5)
    app.session_state["decays"] = True
    app.run()
    app.number_input(key="s.epochs").set_value(4).run()
    assert last(client).epochs == 4


def test_without_lanes_it_says_what_to_do(app):
    app.session_state["is_empty"] = True
    app.run()
    assert "Add a lane" in app.info[0].value


def test_an_error_is_said_and_the_paths_before_it_stay_faded(app, client, monkeypatch):
    def refuse(*args, **kwargs):
        raise PoolError("No supervisor could be started.", hint="Look into the log.")

    monkeypatch.setattr(client, "submit", refuse)
    app.number_input(key="s.start.x").set_value(0.5).run()
    assert any("No supervisor" in text.value for text in app.text)
    data = drawn(app)
    assert not data["is_current"]
    assert data["paths"]["labels"] == ["SGD, lr 0.001", "Adam, lr 0.1"]
    app.selectbox(key="s.surface.kind").set_value("beale").run()
    assert drawn(app)["paths"] is None
