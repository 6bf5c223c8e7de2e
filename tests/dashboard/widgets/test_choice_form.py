import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = str(Path(__file__).with_name("choice_page.py"))


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=20).run()
    assert not app.exception
    return app


def thing(app: AppTest) -> dict:
    assert not app.exception
    return json.loads(app.session_state["thing"])


def pills(app: AppTest):
    return app.get("button_group")[0]


def test_what_needs_a_file_first_is_not_offered_but_shown_when_present(app: AppTest) -> None:
    assert app.selectbox(key="form.kind").options == ["Ready"]
    app.session_state["thing"] = '{"kind": "own", "digest": "ab"}'
    app.run()
    assert not app.exception
    assert app.selectbox(key="form.kind").options == ["Own", "Ready"]
    assert app.selectbox(key="form.kind").help == "Something of the user's."
    app.selectbox(key="form.kind").set_value("ready").run()
    assert thing(app)["kind"] == "ready"


def test_flags_are_toggled_named_and_kept_in_order_with_at_least_so_many(app: AppTest) -> None:
    assert pills(app).options == ["x", "y", "x²"]
    pills(app).set_value(["x2", "x"]).run()
    assert thing(app)["features"] == ["x", "x2"]
    pills(app).set_value([]).run()
    assert thing(app)["features"] == ["x", "x2"]
    assert set(pills(app).value) == {"x", "x2"}


def test_a_menu_inside_is_picked_set_and_emptied(app: AppTest) -> None:
    menu = "form.ready.init.kind"
    assert app.selectbox(key=menu).options[0] == "as the model"
    app.selectbox(key=menu).set_value("he").run()
    assert thing(app)["init"] == {"kind": "he", "distribution": "normal"}
    app.selectbox(key="form.ready.init.he.distribution").set_value("uniform").run()
    assert thing(app)["init"] == {"kind": "he", "distribution": "uniform"}
    app.selectbox(key=menu).set_value("normal").run()
    app.number_input(key="form.ready.init.normal.std").set_value(0.5).run()
    assert thing(app)["init"] == {"kind": "normal", "std": 0.5}
    app.selectbox(key=menu).set_value("").run()
    assert thing(app)["init"] is None


def test_a_menu_that_must_be_said_has_no_empty_option(app: AppTest) -> None:
    assert "as the model" not in app.selectbox(key="form.ready.start.kind").options
    app.selectbox(key="form.ready.start.kind").set_value("zeros").run()
    assert thing(app)["start"] == {"kind": "zeros"}


def test_texts_numbers_and_optional_values_are_set(app: AppTest) -> None:
    app.text_input(key="form.ready.name").set_value("abc").run()
    app.number_input(key="form.ready.width").set_value(7).run()
    app.selectbox(key="form.ready.mode").set_value("q").run()
    assert {name: thing(app)[name] for name in ("name", "width", "mode")} == {"name": "abc", "width": 7, "mode": "q"}
    app.selectbox(key="form.ready.mode").set_value("").run()
    assert thing(app)["mode"] is None


def test_a_plain_spec_has_a_form_too(app: AppTest) -> None:
    app.number_input(key="plain.spec.share").set_value(0.15).run()
    assert not app.exception
    assert json.loads(app.session_state["Plain"]) == {"share": 0.15}
