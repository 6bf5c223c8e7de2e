from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.boundary import boundary
from tests.dashboard.apptest_helpers import component_data, fire, fire_text

PAGE = str(Path(__file__).with_name("curves_page.py"))


def opened(run: str | None = None) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=20)
    if run is not None:
        app.query_params["run"] = run
    app.run()
    assert not app.exception
    return app


def test_the_curves_get_run_colours_and_words() -> None:
    data = component_data(opened("run-00000001"), "curves")
    assert (data["run"], data["state"], data["palettes"]) == ("run-00000001", "running", [["#0072B2"], ["#0072b2"]])
    assert data["texts"]["loss_axis"] == "loss (nats)"


@pytest.mark.fault(67)
@pytest.mark.parametrize("run", [None, "", "../../etc/passwd", "a", "run-00000001\n", "ü" * 10, "<script>alert(1)</script>"])
def test_a_run_id_from_the_address_line_is_checked(run: str | None) -> None:
    app = opened(run)
    assert component_data(app, "curves")["run"] is None
    assert component_data(app, "plane")["run"] is None


def test_a_new_state_reaches_the_page_once() -> None:
    app = opened("run-00000001")
    fire(app, "curves", "state", "finished")
    assert app.session_state["heard"] == ["finished"]


@pytest.mark.fault(129)
@pytest.mark.parametrize("value", ["null", "7", '"hacked"', "[]", '{"state": "finished"}', "1e999"])
def test_a_state_that_does_not_exist_is_ignored(value: str) -> None:
    app = opened("run-00000001")
    fire_text(app, "curves", f'[{{"event": "state", "value": {value}}}]')
    assert not app.exception
    assert app.session_state["heard"] == []


def test_the_plane_gets_finite_points_with_class_and_split() -> None:
    data = component_data(opened(), "plane")
    assert (data["x"], data["y"], data["target"], data["held"]) == ([0.123, 2.0], [1.0, -3.0], [0, 1], [0, 1])
    assert data["shade"] == [0, 255]
    assert data["classes"] == ["class 0", "class 1"]


def test_numbers_are_coloured_from_minus_1_to_1() -> None:
    def page() -> None:
        import numpy as np

        from dashboard.components.boundary import boundary

        numbers = np.array([-3.0, -1.0, 0.0, 0.2, 1.0, 2.0])
        boundary(np.zeros((6, 2)), numbers, np.zeros(6, bool), key="plane", class_names=())

    data = component_data(AppTest.from_function(page).run(), "plane")
    assert data["target"] == [-3.0, -1.0, 0.0, 0.2, 1.0, 2.0]
    assert data["shade"] == [0, 0, 128, 153, 255, 255]
    assert data["classes"] == []


def test_regression_shows_r2_and_the_unit_of_its_loss() -> None:
    def page() -> None:
        from core.optim.losses import MeanAbsoluteError
        from dashboard.components.live_curves import Known, live_curves

        live_curves(None, key="curves", palettes=(("#0072B2",), ("#0072B2",)), known=Known(loss=MeanAbsoluteError()))

    data = component_data(AppTest.from_function(page).run(), "curves")
    assert data["task"] == "regression"
    assert data["texts"]["panel_score"] == "R²"
    assert data["texts"]["loss_axis"] == "loss (absolute error)"


@pytest.mark.parametrize("points", [np.zeros((3, 3)), np.zeros(3), np.zeros((2, 2))])
def test_arrays_that_do_not_fit_together_are_a_bug(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        boundary(points, np.zeros(3), np.zeros(3, bool), key="plane")
