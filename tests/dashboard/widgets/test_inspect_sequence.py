"""The Memory and attention lens, and the words of an explained text."""

import numpy as np
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.experiment.codec import link_text
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire

EMBEDDING = ("Embedding", {"num_embeddings": 128, "embedding_dim": 8})
LSTM = ("LSTM", {"hidden_size": 4, "returns": "sequence"})
ATTEND = ("SelfAttention", {"num_heads": 2})
TEXT = spiral(data=Sentiment(n_examples=200), model=stack(EMBEDDING, LSTM, ATTEND, ("PoolTime", {}), linear(2)))
BOTH_WAYS = ("GRU", {"hidden_size": 3, "num_layers": 2, "bidirectional": True})
TWO = stack(EMBEDDING, LSTM, ("Residual", {"layers": stack(LSTM).layers}), BOTH_WAYS, linear(2))
PATCHES = stack(
    ("PatchEmbed", {"patch_size": 4, "embedding_dim": 8, "class_token": True}),
    ("TransformerEncoder", {"num_heads": 4, "dim_feedforward": 8}),
    ("PoolTime", {"reduce": "first"}),
    linear(10),
)
IMAGES = spiral(data=Digits(), model=PATCHES, batch_size=64)


def page():
    from core.jobs.lenses import ExampleRef
    from dashboard.session import state
    from dashboard.widgets.inspect_sequence import panel
    from dashboard.widgets.subject import Subject

    state.load_link()
    panel(Subject(state.experiment(), None, ExampleRef(index=2)), key="here")


def shown(experiment) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    app.run()
    assert not app.exception
    return app


def words(app) -> str:
    return " ".join(element.value for element in [*app.caption, *app.info, *app.subheader])


def test_a_model_without_memory_and_attention_says_what_to_add(client):
    app = shown(spiral())
    assert "Add a GRU, LSTM or RNN" in words(app)
    assert "Add a SelfAttention or TransformerEncoder" in words(app)
    assert client.jobs == []


def test_a_text_is_read_remembered_and_attended_to(client):
    app = shown(TEXT)
    assert [element.value for element in app.subheader] == ["Said after each token", "Memory", "Attention"]
    assert "not an attribution" in words(app)
    assert "Units that change most" in words(app)
    assert len(app.get("plotly_chart")) == 4
    strip = component_data(app, "here.memory.strip")
    assert not strip["is_choice"]
    assert "" not in [item["text"] for item in strip["items"]]


def test_the_cell_state_and_the_order_of_units_are_choices(client):
    app = shown(TEXT)
    n = len(client.jobs)
    app.segmented_control(key="here.memory.what").set_value("cell").run()
    app.segmented_control(key="here.memory.order").set_value("change").run()
    assert not app.exception
    assert len(client.jobs) == n  # one result has both


def test_a_picked_token_looks_and_its_row_is_told(client):
    app = shown(TEXT)
    before = component_data(app, "here.attention.strip")
    assert before["is_choice"]
    assert before["chosen"] == len(before["items"]) - 1  # the last word
    fire(app, "here.attention.strip", "pick", 1)
    after = component_data(app, "here.attention.strip")
    assert after["chosen"] == 1
    assert [item["title"] for item in after["items"]] != [item["title"] for item in before["items"]]
    fire(app, "here.attention.strip", "pick", 999)
    assert component_data(app, "here.attention.strip")["chosen"] == 1


def test_a_head_is_chosen(client):
    app = shown(TEXT)
    mean = component_data(app, "here.attention.strip")["items"]
    app.segmented_control(key="here.attention.head").set_value(1).run()
    assert component_data(app, "here.attention.strip")["items"] != mean


def test_layers_and_directions_are_chosen_and_told_to_the_other_panels(client):
    app = shown(spiral(data=Sentiment(n_examples=200), model=TWO))
    layers = app.selectbox(key="here.memory.place")
    assert layers.options == ["2 LSTM", "3.1 LSTM", "4 GRU"]
    layers.select_index(2).run()
    assert app.session_state["subject.layer"] == 3
    assert app.selectbox(key="here.memory.part").options[-1] == "layer 2, backward"
    app.selectbox(key="here.memory.unit").select(1).run()
    assert app.session_state["subject.unit"] == 3 + 1  # behind the units of the forward direction
    assert "No layer of this model attends" in words(app)


def test_patches_lie_over_their_picture_behind_the_class_token(client):
    app = shown(IMAGES)
    strip = component_data(app, "here.attention.strip")
    assert (strip["columns"], strip["n_before"], strip["chosen"]) == (2, 1, 0)
    assert strip["picture"].startswith("data:image/png")
    assert len(strip["items"]) == 5
    assert strip["items"][2]["title"].startswith("row 1, column 2")
    fire(app, "here.attention.strip", "pick", 4)
    assert component_data(app, "here.attention.strip")["chosen"] == 4
    assert not app.exception


def explained():
    import numpy as np

    from core.results.attribution import Attribution
    from dashboard.widgets.token_attribution import token_attribution

    values = np.array([0, 0, 0.5, -2.0, 0.1, 0.5], np.float32)
    found = Attribution(
        method="shap_text", label="SHAP", target=1, target_name="positive", unit="logit", values=values, output=1.0,
        probability=0.7, step=3, signed=True, n_evaluations=16, seconds=0.1, input=np.array([0, 0, 5, 6, 1, 5]),
        feature_names=("", "", "<b>good</b>", "not", "<unknown>", "<b>good</b>"),
        evidence=np.array([False, False, True, True, False, False]),
    )  # fmt: skip
    token_attribution(found, key="there")


def test_an_explained_text_shows_its_words_without_padding_and_marks_those_that_decide():
    app = AppTest.from_function(explained, default_timeout=60).run()
    assert not app.exception
    items = component_data(app, "there.tokens")["items"]
    assert [item["text"] for item in items] == ["<b>good</b>", "not", "<unknown>", "<b>good</b>"]
    assert [item["is_marked"] for item in items] == [True, True, False, False]
    assert items[1]["title"] == "not: -2 logit, decides the class"
    assert np.all([item["background"] for item in items])
    assert "Underlined" in words(app)
