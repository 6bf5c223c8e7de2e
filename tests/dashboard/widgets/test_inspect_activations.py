"""The Activations lens: what is closed is not computed, a choice goes everywhere, and numbers are said in words."""

import base64

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.experiment.codec import file_text
from core.optim.losses import MeanSquaredError
from core.results.activation_statistics import ActivationStatistics
from core.settings import Settings
from dashboard.session import resources, selection
from dashboard.widgets.inspect_activation_details import statistics_table, still_sentences
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient

BLOCK = ("Residual", {"layers": stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU").layers})
CNN = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU", BLOCK, "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError())
GRU = ("GRU", {"hidden_size": 4, "returns": "sequence"})
SENTENCES = spiral(
    data=Sentiment(n_examples=200), model=stack(("Embedding", {"num_embeddings": 128}), GRU, ("PoolTime", {}), linear(2))
)
DETAILS = {"activation_histograms", "activation_statistics", "top_examples", "convolution", "receptive_field"}


def page():
    import streamlit as st

    from core.experiment.codec import from_file_text
    from core.jobs.lenses import ExampleRef
    from dashboard.session import selection
    from dashboard.widgets.inspect_activations import panel
    from dashboard.widgets.subject import Subject

    split = selection.split(("validation", "train", "test"))
    example = ExampleRef(split=split, index=selection.example(10_000) or 0)
    subject = Subject(from_file_text(st.session_state.experiment), None, example)
    for key in st.session_state.keys_shown:
        panel(subject, key=key)


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake


def shown(experiment, *opened: str, keys: tuple[str, ...] = ("a",), **state) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.session_state["experiment"], app.session_state["keys_shown"] = file_text(experiment), keys
    for name in opened:
        app.session_state[f"a.{name}"] = True
    for name, value in state.items():
        app.session_state[getattr(selection, name)] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def last(client: InlineClient, kind: str):
    return next(job for job in reversed(client.jobs) if job.kind == kind)


def test_what_is_closed_is_not_computed(client):
    shown(DIGITS)
    assert {job.kind for job in client.jobs} == {"activations"}


def test_a_panel_can_stand_on_the_page_twice_with_everything_open(client):
    app = shown(DIGITS, "unit.top", "unit.conv", "unit.field", "histograms", "still", keys=("a", "b"))
    assert {job.kind for job in client.jobs} == {"activations", *DETAILS}
    assert len(app.get("plotly_chart")) == 2 * (1 + len(CNN.layers)) + 1 + len(CNN.layers)


def test_a_map_that_is_clicked_is_the_unit_of_every_panel(client):
    app = shown(DIGITS, "unit.top", LAYER=1)
    assert app.selectbox(key="a.unit.layer").value == 1
    fire(app, "a.unit.maps", "pick", 3)
    assert app.number_input(key="a.unit.unit").value == 3
    assert (app.session_state[selection.LAYER], app.session_state[selection.UNIT]) == (1, 3)
    assert (last(client, "top_examples").layer, last(client, "top_examples").unit) == (1, 3)
    app.selectbox(key="a.unit.layer").select_index(0).run()
    assert (app.session_state[selection.LAYER], app.session_state[selection.UNIT]) == (0, None)


def test_a_picture_that_activates_a_unit_most_becomes_the_example(client):
    app = shown(DIGITS, "unit.top", LAYER=0, UNIT=1, SPLIT="train")
    assert last(client, "top_examples").example.split == "train"
    names = component_data(app, "a.unit.top.pictures")["names"]
    values = [float(name.split(" · ")[0]) for name in names]
    assert values == sorted(values, reverse=True)
    assert len(names) == 12
    fire(app, "a.unit.top.pictures", "pick", 4)
    chosen = app.session_state[selection.EXAMPLE]
    assert app.session_state[selection.SPLIT] == "train"
    assert last(client, "activations").example.index == chosen
    assert component_data(app, "a.unit.top.pictures")["chosen"] == 4


@pytest.mark.parametrize(("experiment", "column"), [(SENTENCES, "text"), (NUMBERS, "blood sugar")])
def test_sentences_and_rows_that_activate_a_unit_most_are_a_table(client, experiment, column):
    app = shown(experiment, "unit.top", LAYER=1, UNIT=2)
    table = app.dataframe[0].value
    assert column in table.columns
    assert table["value"].is_monotonic_decreasing
    assert "Unit 2 of 2 " in texts(app)


def test_a_convolution_is_given_to_the_browser_with_all_its_parts(client):
    app = shown(DIGITS, "unit.conv", LAYER=1, UNIT=2)  # of the ReLU: the convolution before it is meant
    data = component_data(app, "a.unit.conv.parts")
    job = last(client, "convolution")
    assert (job.path, job.channel) == ((0,), 2)
    sizes = {name: len(base64.b64decode(data[name])) // 4 for name in ("inputs", "kernels", "rest", "output")}
    assert sizes == {"inputs": 64, "kernels": 9, "rest": 64, "output": 64}
    assert "differs from what the layer gave by at most" in texts(app)
    app.number_input(key="a.unit.conv.channel.1.2.(0,)").set_value(3).run()
    assert (app.session_state[selection.LAYER], app.session_state[selection.UNIT]) == (0, 3)


def test_a_convolution_inside_a_residual_can_be_chosen(client):
    app = shown(DIGITS, "unit.conv", LAYER=4)
    box = app.selectbox(key="a.unit.conv.path.4")
    assert box.options == ["1 Conv2d", "3.1 Conv2d"]
    assert last(client, "convolution").path == (2, 0, 0)
    box.select_index(0).run()
    assert last(client, "convolution").path == (0,)


def test_fields_of_a_map_are_given_for_every_row_and_column(client):
    app = shown(DIGITS, "unit.field", LAYER=1)
    data = component_data(app, "a.unit.field.field")
    assert data["rows"] == data["columns"] == [[max(0, at - 1), min(7, at + 1)] for at in range(8)]
    values = np.frombuffer(base64.b64decode(data["map"]), "<f4").reshape(8, 8)
    assert tuple(data["start"]) == np.unravel_index(int(np.abs(values).argmax()), (8, 8))


def test_a_layer_with_one_unit_can_be_looked_at_and_a_unit_that_is_not_there_is_none(client):
    app = shown(NUMBERS, "unit.top", LAYER=2, UNIT=7)
    assert app.number_input(key="a.unit.unit").value == 0
    assert last(client, "top_examples").unit == 0


def test_where_there_is_no_image_and_no_convolution_nothing_is_offered_for_them(client):
    app = shown(NUMBERS, "unit.conv", "unit.field", "histograms", "still")
    assert {job.kind for job in client.jobs} == {"activations", "activation_histograms", "activation_statistics"}
    assert "2 Tanh" in texts(app)
    assert "saturated" in texts(app)


def statistics(effects: tuple[str, ...], still: tuple[list[float], ...]) -> ActivationStatistics:
    n = len(effects)
    numbers = np.arange(n, dtype=float)
    return ActivationStatistics(
        split="validation", n_examples=300, n_split=900, step=0, layer_names=tuple(f"{i} L" for i in range(1, n + 1)),
        effects=effects, rules=tuple("output 0" if effect else "" for effect in effects),
        still_share=tuple(np.array(one) for one in still), n_units=np.array([4] * n), zero_share=numbers, mean=numbers,
        std=numbers, least=numbers, largest=numbers,
    )  # fmt: skip


def test_dead_and_saturated_are_said_in_words_with_numbers():
    found = statistics(("", "dead", "dead", "saturated"), ([], [1, 0.5, 1, 0], [0.9, 0, 0, 0], [1, 0, 0.5, 0.1]))
    assert still_sentences(found) == [
        "2 L: 2 units are dead (50% of 4), with output 0 everywhere for every example.",
        "3 L: no dead unit, each of the 4 answers to some example.",
        "4 L: 40.0% of the outputs are saturated (output 0); 1 unit always is.",
    ]
    table = statistics_table(found)
    assert table["dead units"] == [None, 0.5, 0.0, None]
    assert table["saturated outputs"] == [None, None, None, 0.4]
    assert table["which units"] == ["", "0, 2", "", "0"]


def test_a_net_in_which_nothing_can_die_says_so():
    assert "can die or saturate" in still_sentences(statistics(("", ""), ([], [])))[0]
