import json
from pathlib import Path
from typing import Literal

import pytest
from streamlit.testing.v1 import AppTest

from core.diagnostics import Diagnostic
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.shape import Flatten
from core.models.lint import lint
from core.models.model import ModelSpec, infer
from core.spec import choices
from dashboard.components.layer_stack import MAX_DEPTH, bytes_text, path_of, stack_view
from dashboard.components.layer_stack.sent import layers_sent, path_sent
from tests.dashboard.apptest_helpers import component_data, fire, fire_text

PAGE = str(Path(__file__).with_name("stack_page.py"))


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=20).run()
    assert not app.exception
    return app


@pytest.fixture(scope="module")
def lasting() -> AppTest:
    """One page for all messages that must leave it as it is."""
    return AppTest.from_file(PAGE, default_timeout=20).run()


def kinds(app: AppTest) -> list[str]:
    return [layer["kind"] for layer in json.loads(app.session_state["model"])["layers"]]


def test_the_builder_gets_shapes_counts_and_the_whole_menu(app: AppTest) -> None:
    data = component_data(app, "stack")
    assert [(row["kind"], row["shape"], row.get("n_parameters")) for row in data["rows"]] == [
        ("Flatten", "64", None),
        ("Linear", "10", 650),
    ]
    assert data["rows"][1]["facts"] == ["640 multiply-adds", "keeps 40 bytes", "sees all"]
    assert (data["input"], data["output"]) == ("1 × 8 × 8", "10")
    assert data["totals"] == [
        ["Parameters", "650"],
        ["Multiply-adds per example", "640"],
        ["Activations per example", "296 bytes"],  # 64 inputs and 10 outputs; Flatten is a view
        ["Size on disk", "2.5 KB"],
    ]
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
    assert data["rows"][1]["params"] == {"out_features": 32, "bias": False, "init": None, "bias_init": None}
    assert data["ack"] == 3


def test_a_shape_error_stands_at_its_layer_with_a_fix(app: AppTest) -> None:
    fire(app, "stack", "edit", {"layers": [{"kind": "Linear", "params": {"out_features": 10}}], "seq": 1})
    row = component_data(app, "stack")["rows"][0]
    assert row["severity"] == "error"
    assert "1 × 8 × 8" in row["problem"]
    assert "Flatten" in row["fix"]
    fire(app, "stack", "fix", {"path": [0], "code": row["code"], "seq": 2})
    fire(app, "stack", "fix", {"path": [], "code": "empty-model", "seq": 3})
    assert app.session_state["fixed"] == [((0,), "shape-mismatch"), ((), "empty-model")]


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


@pytest.mark.fault(129)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_stack_is_ignored(lasting: AppTest, value: str) -> None:
    before = lasting.session_state["model"]
    fire_text(lasting, "stack", f'[{{"event": "edit", "value": {value}}}]')
    assert not lasting.exception
    assert lasting.session_state["model"] == before


@pytest.mark.fault(113)
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


@pytest.mark.fault(129)
@pytest.mark.parametrize("seq", ["1e999", "-4", '"x"', "true", "1.5", "null", "9" * 400])
def test_a_strange_message_number_is_not_acknowledged(lasting: AppTest, seq: str) -> None:
    before = component_data(lasting, "stack")["ack"]
    fire_text(lasting, "stack", f'[{{"event": "edit", "value": {{"layers": [{{"kind": "ReLU"}}], "seq": {seq}}}}}]')
    assert not lasting.exception
    assert kinds(lasting) == ["ReLU"]
    assert component_data(lasting, "stack")["ack"] == before


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    "value",
    [
        "null",
        "[]",
        '{"path": 0, "code": "a"}',
        '{"path": [1e999], "code": "a"}',
        '{"path": [0], "code": 7}',
        '{"path": [70], "code": "a"}',
        '{"path": [-1], "code": "a"}',
        '{"path": [true], "code": "a"}',
        '{"path": [0, 0], "code": "a"}',
        '{"path": [0, 0, 0, 0, 0, 0, 0, 0, 0], "code": "a"}',
        '{"path": {"0": 0}, "code": "a"}',
    ],
)
def test_a_strange_fix_is_ignored(lasting: AppTest, value: str) -> None:
    fire_text(lasting, "stack", f'[{{"event": "fix", "value": {value}}}]')
    assert not lasting.exception
    assert lasting.session_state["fixed"] == []


def test_findings_about_the_whole_stack_stand_below_it_and_an_error_hides_a_warning() -> None:
    empty = ModelSpec()
    view = stack_view(empty, infer(empty, (4,)), lint(empty, (4,), 2))
    assert [note.code for note in view.notes] == ["empty-model"]
    model = ModelSpec(layers=(Linear(out_features=3),))
    view = stack_view(model, infer(model, (4,)), lint(model, (4,), 2))
    assert view.rows[0].code == "wrong-output-size"
    assert (view.input, view.output, view.totals[0]) == ("4", "3", ("Parameters", "15"))


NESTED = ModelSpec(
    layers=(
        Conv2d(padding=1),
        Residual(layers=(Conv2d(padding=1), Parallel(branches=((), (Conv2d(), Linear()))))),
        Flatten(),
        Linear(out_features=10),
    )
)


def test_rows_stand_in_each_other_as_the_layers_do() -> None:
    view = stack_view(NESTED, infer(NESTED, (1, 8, 8)))
    parallel = view.rows[1].branches[0][1]
    assert [len(branch) for branch in parallel.branches] == [0, 2]
    conv = parallel.branches[1][0]
    assert (conv.shape, conv.n_parameters, conv.facts[-1]) == ("16 × 6 × 6", 2320, "sees 7 × 7")
    assert "Layer 2.2b.2 Linear" in parallel.branches[1][1].problem
    assert not view.rows[1].problem
    assert (view.rows[3].shape, view.rows[3].facts, view.output) == ("", (), "")


@pytest.mark.parametrize(
    ("where", "place"), [((), None), ((1,), (1,)), ((1, 0, 0), (1, 0, 0)), ((1, 0, 0, "padding"), (1, 0, 0)), ((1, 5, 0), None)]
)
def test_a_finding_stands_at_its_layer_or_below_all(where: tuple, place: tuple | None) -> None:
    finding = Diagnostic("a-code", "warning", ("layers", *where), "What.", hint="Do.")
    view = stack_view(NESTED, infer(NESTED, (1, 8, 8)), [finding])
    if place is None:
        assert view.notes == (finding,)
        return
    row = view.rows[place[0]] if len(place) == 1 else view.rows[place[0]].branches[place[1]][place[2]]
    assert (view.notes, row.code, row.hint) == ((), "a-code", "Do.")
    assert path_of(finding) == place


def inside(depth: int) -> list[dict]:
    layers = [{"kind": "ReLU"}]
    for _ in range(depth):
        layers = [{"kind": "Residual", "branches": [layers]}]
    return layers


def test_stacks_inside_are_read_and_clamped(app: AppTest) -> None:
    conv = {"kind": "Conv2d", "params": {"out_channels": 10**9, "init": {"kind": "normal", "std": 99}, "bias_init": "x"}}
    layers = [{"kind": "Residual", "branches": [[conv]]}, {"kind": "Parallel", "branches": [[], [conv], []]}]
    fire(app, "stack", "edit", {"layers": layers, "seq": 1})
    residual, parallel = json.loads(app.session_state["model"])["layers"]
    inner = residual["layers"][0]
    assert (inner["out_channels"], inner["init"], inner["bias_init"]) == (1024, {"kind": "normal", "std": 10.0}, None)
    assert [len(branch) for branch in parallel["branches"]] == [0, 1, 0]
    rows = component_data(app, "stack")["rows"]
    assert [len(row["branches"]) for row in rows] == [1, 3]
    assert rows[0]["branches"][0][0]["params"]["init"] == {"kind": "normal", "std": 10.0}


def test_a_model_that_was_shown_comes_back_as_it_was() -> None:
    app = AppTest.from_file(PAGE, default_timeout=20)
    app.session_state["model"] = NESTED.model_dump_json()
    app.run()
    fire(app, "stack", "edit", {"layers": component_data(app, "stack")["rows"], "seq": 1})
    assert json.loads(app.session_state["model"]) == json.loads(NESTED.model_dump_json())


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    ("layers", "is_taken"),
    [
        (inside(MAX_DEPTH), True),
        (inside(MAX_DEPTH + 1), False),
        (inside(400), False),
        ([{"kind": "Residual", "branches": [[{"kind": "ReLU"}] * 16]}], True),
        ([{"kind": "Residual", "branches": [[{"kind": "ReLU"}] * 17]}], False),
        ([{"kind": "Residual", "branches": [[{"kind": "ReLU"}] * 15]}] * 4, True),
        ([{"kind": "Residual", "branches": [[{"kind": "ReLU"}] * 16]}] * 4, False),
        ([{"kind": "Residual", "branches": [[], []]}], False),
        ([{"kind": "Residual", "branches": []}], False),
        ([{"kind": "Residual", "branches": {"0": []}}], False),
        ([{"kind": "Residual", "branches": [[{"kind": "os.system"}]]}], False),
        ([{"kind": "Residual"}], True),
        ([{"kind": "Parallel", "branches": [[]]}], True),
        ([{"kind": "Parallel", "branches": [[], [], [], []]}], True),
        ([{"kind": "Parallel", "branches": [[], [], [], [], []]}], False),
        ([{"kind": "Parallel", "branches": []}], False),
        ([{"kind": "Parallel", "branches": "ab"}], False),
        ([{"kind": "ReLU", "branches": [[None]], "layers": 7}], True),
        ([{"kind": "ReLU", "params": [7]}], True),
    ],
)
def test_depth_and_counts_are_bounded(layers: list, is_taken: bool) -> None:
    taken = layers_sent(layers, AnyLayer)
    assert (taken is not None) == is_taken
    if is_taken:
        ModelSpec.model_validate_json(json.dumps({"layers": taken}))


def test_a_field_that_no_form_shows_is_kept() -> None:
    class Hidden(Conv2d):
        kind: Literal["Hidden"] = "Hidden"
        secret: str = ""

        @classmethod
        def knobs(cls) -> dict:
            return {name: info for name, info in super().knobs().items() if name != "secret"}

    taken = layers_sent([{"kind": "Hidden", "params": {"secret": "kept", "stranger": 1}}], Hidden | Linear)
    assert taken is not None
    assert taken[0]["secret"] == "kept"
    assert "stranger" not in taken[0]


def test_a_path_is_odd_in_length_or_empty() -> None:
    assert (path_sent([]), path_sent([3, 0, 1])) == ((), (3, 0, 1))


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(1, "1 byte"), (1023, "1,023 bytes"), (1024, "1.0 KB"), (10 * 1024, "10 KB"), (999 * 1024, "999 KB"), (2**20, "1.0 MB")],
)
def test_a_size_is_read_at_a_glance(n_bytes: int, text: str) -> None:
    assert bytes_text(n_bytes) == text


def test_no_word_of_the_builder_is_empty_and_shared_menus_are_sent_once(app: AppTest) -> None:
    data = component_data(app, "stack")
    assert all(data["texts"].values())
    linear = next(entry for entry in data["menu"] if entry["kind"] == "Linear")
    conv = next(entry for entry in data["menu"] if entry["kind"] == "Conv2d")
    init = [next(field for field in entry["fields"] if field["name"] == "init") for entry in (linear, conv)]
    assert init[0]["menu"] == init[1]["menu"]
    assert [option["kind"] for option in data["menus"][init[0]["menu"]]][:2] == ["default", "he"]
    assert len(data["menus"]) == 2
