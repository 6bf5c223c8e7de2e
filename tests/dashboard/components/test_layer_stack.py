import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.lint import lint
from core.models.model import ModelSpec, infer
from core.spec import choices
from dashboard.components.layer_stack import stack_view
from tests.dashboard.apptest_helpers import component_data, fire, fire_text

PAGE = str(Path(__file__).with_name("stack_page.py"))


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=20).run()
    assert not app.exception
    return app


def kinds(app: AppTest) -> list[str]:
    return [layer["kind"] for layer in json.loads(app.session_state["model"])["layers"]]


def test_the_builder_gets_shapes_counts_and_the_whole_menu(app: AppTest) -> None:
    data = component_data(app, "stack")
    assert [(row["kind"], row["shape"], row["n_parameters"]) for row in data["rows"]] == [
        ("Flatten", "64", 0),
        ("Linear", "10", 650),
    ]
    assert (data["input"], data["output"], data["n_parameters"]) == ("1 × 8 × 8", "10", 650)
    assert [entry["kind"] for entry in data["menu"]] == [cls.kind_name() for cls in choices(AnyLayer)]


def test_an_edit_becomes_a_checked_model_and_is_acknowledged(app: AppTest) -> None:
    layers = [
        {"kind": "Flatten"},
        {"kind": "Linear", "params": {"out_features": 32, "bias": False}},
        {"kind": "ReLU", "params": {}},
    ]
    fire(app, "stack", "edit", {"layers": layers, "seq": 3})
    assert kinds(app) == ["Flatten", "Linear", "ReLU"]
    data = component_data(app, "stack")
    assert data["rows"][1]["params"] == {"out_features": 32, "bias": False}
    assert data["ack"] == 3


def test_a_shape_error_stands_at_its_layer_with_a_fix(app: AppTest) -> None:
    fire(app, "stack", "edit", {"layers": [{"kind": "Linear", "params": {"out_features": 10}}], "seq": 1})
    row = component_data(app, "stack")["rows"][0]
    assert row["severity"] == "error"
    assert "1 × 8 × 8" in row["problem"]
    assert "Flatten" in row["fix"]
    fire(app, "stack", "fix", {"index": 0, "code": row["code"], "seq": 2})
    assert app.session_state["fixed"] == [(0, "shape-mismatch")]


def test_numbers_out_of_range_are_clamped(app: AppTest) -> None:
    layers = [
        {"kind": "Linear", "params": {"out_features": 10**9}},
        {"kind": "Dropout", "params": {"p": -3}},
        {"kind": "MaxPool2d", "params": {"stride": None}},
    ]
    fire(app, "stack", "edit", {"layers": layers, "seq": 1})
    stored = json.loads(app.session_state["model"])["layers"]
    assert (stored[0]["out_features"], stored[1]["p"], stored[2]["stride"]) == (16384, 0.0, None)


HOSTILE = [
    "null",
    "5",
    '"text"',
    "[1]",
    '{"layers": 5, "seq": 1}',
    '{"layers": [[]], "seq": 1}',
    '{"layers": [{"kind": "os.system"}], "seq": 1}',
    '{"layers": [{"kind": ["Linear"]}], "seq": 1}',
    '{"layers": [{"kind": "Linear"}, null], "seq": 1}',
    '{"layers": ' + json.dumps([{"kind": "ReLU"}] * 1000) + ', "seq": 1}',
    '{"layers": {"0": {"kind": "ReLU"}}, "seq": 1}',
]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_stack_is_ignored(app: AppTest, value: str) -> None:
    fire_text(app, "stack", f'[{{"event": "edit", "value": {value}}}]')
    assert not app.exception
    assert kinds(app) == ["Flatten", "Linear"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1e308", "9" * 500, '"x"', "[]", "{}", "null", "true"])
def test_a_strange_number_never_raises_and_never_leaves_the_bounds(app: AppTest, number: str) -> None:
    linear = f'{{"kind": "Linear", "params": {{"out_features": {number}}}}}'
    dropout = f'{{"kind": "Dropout", "params": {{"p": {number}}}}}'
    layers = f'[{{"kind": "Flatten"}}, {linear}, {dropout}]'
    fire_text(app, "stack", f'[{{"event": "edit", "value": {{"layers": {layers}, "seq": 1}}}}]')
    assert not app.exception
    stored = json.loads(app.session_state["model"])["layers"]
    assert 1 <= stored[1]["out_features"] <= 16384
    assert 0 <= stored[2]["p"] <= 0.95


@pytest.mark.parametrize("seq", ["1e999", "-4", '"x"', "true", "1.5", "null", "9" * 400])
def test_a_strange_message_number_is_not_acknowledged(app: AppTest, seq: str) -> None:
    fire_text(app, "stack", f'[{{"event": "edit", "value": {{"layers": [{{"kind": "ReLU"}}], "seq": {seq}}}}}]')
    assert not app.exception
    assert component_data(app, "stack")["ack"] == 0


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "[]",
        '{"index": 1e999, "code": "a"}',
        '{"index": 0, "code": 7}',
        '{"index": 70, "code": "a"}',
        '{"index": true, "code": "a"}',
    ],
)
def test_a_strange_fix_is_ignored(app: AppTest, value: str) -> None:
    fire_text(app, "stack", f'[{{"event": "fix", "value": {value}}}]')
    assert not app.exception
    assert app.session_state["fixed"] == []


def test_findings_about_the_whole_stack_stand_below_it_and_an_error_hides_a_warning() -> None:
    empty = ModelSpec()
    view = stack_view(empty, infer(empty, (4,)), lint(empty, (4,), 2))
    assert [note.code for note in view.notes] == ["empty-model"]
    model = ModelSpec(layers=(Linear(out_features=3),))
    view = stack_view(model, infer(model, (4,)), lint(model, (4,), 2))
    assert view.rows[0].code == "wrong-output-size"
    assert (view.input, view.output, view.n_parameters) == ("4", "3", 15)
