"""What goes to the drawing of a surface is what Python has, and what comes back is checked like anything from a stranger."""

import base64

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.experiment.lane import Lane
from core.optim.optimizers import LBFGS, SGD, Adam
from core.optim.surfaces import Rosenbrock, Saddle, SurfaceTask
from core.training.surface_race import surface_race
from dashboard.components.surface_race import Look, look_sent
from tests.dashboard.apptest_helpers import component_data, fire, fire_text

LANES = (Lane(optimizer=SGD(lr=0.002)), Lane(optimizer=Adam(lr=0.1)), Lane(optimizer=SGD(lr=0.5)), Lane(optimizer=LBFGS()))
GOOD = {"seq": 1, "start": [0.5, 1.5], "centre": [0.0, 1.0], "half": 1.0}


def page():
    import numpy as np
    import streamlit as st

    from core.optim.surfaces import Rosenbrock
    from dashboard.components.surface_race import Look, SurfaceRelief, SurfaceScene, surface_race

    surface = Rosenbrock()
    relief = SurfaceRelief(np.arange(9.0).reshape(3, 3), np.array([1.0, 10.0, 100.0, 1000.0, 1e4, 1e5, 1e6, 1e7]))
    look = st.session_state.get("look", Look((-1.2, 1.0), (0.0, 1.0), 2.0))
    scene = SurfaceScene(surface, relief, st.session_state.get("paths"), look, is_current=False)
    palettes = (["#0072B2"], ["#56B4E9"])
    surface_race(scene, key="race", palettes=palettes, on_look=lambda found: st.session_state.update(look=found))


@pytest.fixture
def app() -> AppTest:
    found = AppTest.from_function(page, default_timeout=20)
    found.session_state["paths"] = surface_race(SurfaceTask(n_steps=30, rates="own"), LANES)
    found.run()
    assert not found.exception
    return found


def floats(text: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def test_the_browser_gets_relief_paths_and_what_there_is_to_say(app):
    data, paths = component_data(app, "race"), app.session_state["paths"]
    assert (data["window"], data["minima"], data["is_current"]) == ({"centre": [0, 1], "half": 2}, [[1, 1]], False)
    ranks = np.frombuffer(base64.b64decode(data["relief"]["ranks"]), "<u2") / 65535 * data["relief"]["top"]
    np.testing.assert_allclose(ranks, np.arange(9), atol=1e-4)
    sent = data["paths"]
    np.testing.assert_allclose(floats(sent["positions"], 4, 31, 2), paths.positions, rtol=1e-6)
    np.testing.assert_allclose(floats(sent["losses"], 4, 31), paths.values, rtol=1e-6)
    np.testing.assert_allclose(floats(sent["gradients"], 4, 30, 2), paths.gradients, rtol=1e-6)
    np.testing.assert_allclose(floats(sent["momenta"], 4, 30, 2), paths.momenta, rtol=1e-6)
    np.testing.assert_allclose(floats(sent["rates"], 4, 30), paths.rates, rtol=1e-6)
    assert sent["done"] == paths.n_done.tolist()
    assert sent["notes"][:2] == ["", ""]
    assert sent["notes"][2].startswith("Diverged")
    assert sent["notes"][3] == f"{paths.n_evaluations[3]} gradients in 30 steps."


def test_a_new_start_and_view_reach_the_page_with_their_number(app):
    fire(app, "race", "look", GOOD | {"seq": 7})
    assert app.session_state["look"] == Look((0.5, 1.5), (0.0, 1.0), 1.0)
    data = component_data(app, "race")
    assert (data["ack"], data["start"], data["relief"]["view"]) == (7, [0.5, 1.5], {"centre": [0, 1], "half": 1})


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    "text",
    [
        "null", "7", '"x"', "[]", "{}", '{"seq": 1e999}', '{"start": [1, 2], "centre": [0, 0], "half": 1e999}',
        '{"start": [1e999, 2], "centre": [0, 0], "half": 1}', '{"start": [1, 2], "centre": [0, 0], "half": "1"}',
    ],
)  # fmt: skip
def test_what_is_no_place_changes_nothing(app, text):
    fire_text(app, "race", f'[{{"event": "look", "value": {text}}}]')
    assert not app.exception
    assert "look" not in app.session_state


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    "stranger",
    [
        {"start": [1]}, {"start": [True, 1]}, {"start": ["1", 1]}, {"start": {"x": 1}}, {"start": None},
        {"start": [float("nan"), 1]}, {"centre": [1, 2, 3]}, {"half": None}, {"half": float("nan")}, {"half": True},
    ],
)  # fmt: skip
def test_anything_else_is_no_look(stranger):
    assert look_sent(GOOD | stranger, Rosenbrock()) is None


def test_start_and_view_are_kept_on_the_surface():
    found = look_sent({"start": [99, -99], "centre": [-1e9, 5], "half": 1e9}, Rosenbrock())
    assert found == Look(start=(2.0, -1.0), centre=(-8.0, 5.0), half=8.0)
    assert look_sent(GOOD | {"half": -3}, Saddle()).half == 0.002
