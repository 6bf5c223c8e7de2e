"""Train, Inspect and Explain on numbers, sentences, features of points and pictures of the visitor's own."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.data.toy import GaussRegression, Spiral
from core.experiment.codec import link_text
from core.experiment.experiment import Budget
from core.optim.losses import BinaryCrossEntropy, MeanAbsoluteError
from core.settings import Settings
from dashboard.session import resources
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient

BRIEF = Budget(epochs=1)
ONE = stack(linear(8), "Tanh", linear(1))
GRU = ("GRU", {"hidden_size": 4, "returns": "sequence"})
READER = stack(("Embedding", {"num_embeddings": 128}), GRU, ("PoolTime", {}), linear(2))
NUMBERS = spiral(data=Diabetes(), model=ONE, loss=MeanAbsoluteError(), budget=BRIEF)
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER, budget=BRIEF)
DIGITS = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64, budget=BRIEF)


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake


def inspect():
    from dashboard.screens import inspect
    from dashboard.session import state

    state.load_link()
    inspect.render()


def explain():
    from dashboard.screens import explain
    from dashboard.session import state

    state.load_link()
    explain.render()


def train():
    from dashboard.screens import train
    from dashboard.session import state

    state.load_link()
    train.render()


def shown(page, experiment) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def picture(side: int = 20) -> bytes:
    pixels = np.zeros((side, side), np.uint8)
    pixels[2:15, 6:9] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_train_speaks_of_r2_and_of_the_loss_of_numbers(client):
    data = component_data(shown(train, NUMBERS), "train.curves")
    assert data["task"] == "regression"
    assert data["texts"]["loss_axis"] == "loss (absolute error)"


def test_the_plane_of_numbers_has_a_scale_and_no_classes(client):
    data = GaussRegression(n_points=200)
    plane = component_data(shown(train, spiral(data=data, model=ONE, loss=MeanAbsoluteError())), "train.boundary")
    points = data.plane(0)
    assert plane["classes"] == []
    assert plane["target"] == points.y.astype(float).round(3).tolist()


def test_the_plane_shows_the_points_and_not_their_features(client):
    data = Spiral(n_points=200, features=("x1_squared", "sin_x1", "x1_x2"))
    plane = component_data(shown(train, spiral(data=data)), "train.boundary")
    assert plane["x"] == data.plane(0).points[:, 0].astype(float).round(3).tolist()
    assert plane["classes"] == ["class 0", "class 1"]


def test_inspect_shows_a_predicted_number_beside_the_right_one(client):
    app = shown(inspect, NUMBERS)
    assert len(app.get("plotly_chart")) == 1 + len(ONE.layers)
    assert "The network predicts" in texts(app)
    assert "right is" in texts(app)


def test_inspect_shows_a_sentence_and_every_layer(client):
    app = shown(inspect, SENTENCES)
    assert len(app.get("plotly_chart")) == 1 + len(READER.layers)
    lines = app.selectbox(key="inspect.row").options
    words = lines[0].rpartition(":")[0]
    assert " " in words
    assert words in texts(app)
    app.selectbox(key="inspect.row").select_index(3).run()
    assert not app.exception
    assert lines[3].rpartition(":")[0] in texts(app)


def test_explain_says_which_methods_cannot_explain_texts(client):
    app = shown(explain, SENTENCES)
    assert "cannot hide or change words" in texts(app)
    assert len(app.get("plotly_chart")) >= 3


def test_explain_has_bars_for_numbers_and_asks_for_no_class(client):
    app = shown(explain, NUMBERS)
    assert len(app.get("plotly_chart")) == 3
    assert "predicted" in texts(app)
    assert "probability" not in texts(app)
    assert [box.key for box in app.selectbox if box.key == "explain.target"] == []


def test_explain_has_both_classes_of_one_output(client):
    app = shown(explain, spiral(model=ONE, loss=BinaryCrossEntropy(), budget=BRIEF))
    assert not app.exception
    app.selectbox(key="explain.target").set_value(1).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3


def test_own_images_are_a_source_for_images_alone(client):
    assert "Own image" in shown(inspect, DIGITS).selectbox(key="inspect.split").options
    assert "Own image" not in shown(inspect, NUMBERS).selectbox(key="inspect.split").options


def test_an_own_picture_is_looked_at(client):
    app = shown(inspect, DIGITS)
    app.selectbox(key="inspect.split").set_value("file").run()
    assert "Choose a picture." in texts(app)
    app.file_uploader(key="inspect.upload").upload("me.png", picture(), "image/png").run()
    assert not app.exception
    assert client.jobs[-1].example.file
    assert not client.jobs[-1].example.drawn
    assert "what is right is not known" in texts(app)
    assert len(app.get("plotly_chart")) == 1 + len(DIGITS.model.layers)


def test_a_file_that_is_no_picture_is_refused_in_words(client):
    app = shown(inspect, DIGITS)
    app.selectbox(key="inspect.split").set_value("file").run()
    n = len(client.jobs)
    app.file_uploader(key="inspect.upload").upload("me.png", b"no picture", "image/png").run()
    assert not app.exception
    assert app.toast
    assert len(client.jobs) == n


def test_a_drawing_is_looked_at(client):
    app = shown(inspect, DIGITS)
    app.selectbox(key="inspect.split").set_value("drawing").run()
    fire(app, "inspect.pad", "draw", "data:image/png;base64," + base64.b64encode(picture(140)).decode())
    assert not app.exception
    assert client.jobs[-1].example.drawn
    assert "what is right is not known" in texts(app)


def test_an_example_of_the_data_screen_is_looked_at_though_it_is_not_among_the_first(client):
    app = shown(inspect, DIGITS)
    app.session_state["subject.split"], app.session_state["subject.example"] = "validation", 250
    app.run()
    assert not app.exception
    assert client.jobs[-1].example.index == 250
    assert component_data(app, "inspect.image")["chosen"] == -1
    assert "250" in texts(app)
    app.session_state["subject.example"] = 10_000_000  # of other data
    app.run()
    assert not app.exception
    assert component_data(app, "inspect.image")["chosen"] == 0
