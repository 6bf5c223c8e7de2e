"""The view of all examples: each kind of data has its own, quick ones come by themselves, and a dot chooses its example."""

import json

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes, Iris
from core.experiment.codec import link_text
from core.jobs.global_lenses import GlobalMapsJob, GlobalViewJob, GlobalWordsJob, PartialDependenceJob
from core.optim.losses import MeanSquaredError
from core.settings import Settings
from dashboard.session import resources
from dashboard.widgets import global_ask
from tests.core.samples import linear, spiral, stack
from tests.dashboard.inline_client import InlineClient

CNN = stack(("Conv2d", {"out_channels": 2, "padding": 1}), "ReLU", "Flatten", linear(10))
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
EXPERIMENTS = {
    "points": (spiral(), GlobalViewJob),
    "classes": (spiral(data=Iris(), model=stack(linear(8), "Tanh", linear(3))), GlobalViewJob),
    "number": (spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError()), GlobalViewJob),
    "images": (spiral(data=Digits(), model=CNN, batch_size=64), GlobalMapsJob),
    "texts": (spiral(data=Sentiment(n_examples=200), model=READER), GlobalWordsJob),
}


def page():
    import streamlit as st

    from core.jobs.lenses import ExampleRef
    from dashboard.session import state
    from dashboard.widgets.explain_global import panel
    from dashboard.widgets.explain_question import Question
    from dashboard.widgets.subject import Subject

    state.load_link()
    asked = st.session_state["asked"]
    panel(Subject(state.experiment(), None, ExampleRef(index=2)), Question(**asked), key="here")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def shown(experiment, **asked) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    app.session_state["asked"] = asked
    app.session_state["here.n"] = 25
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_kind_of_data_has_its_view(name, client):
    experiment, job = EXPERIMENTS[name]
    app = shown(experiment)
    asked = [type(one) for one in client.jobs]
    assert job in asked
    assert (PartialDependenceJob in asked) == (job is GlobalViewJob)
    assert len(app.get("plotly_chart")) == (4 if job is GlobalViewJob else 1)
    assert all(chart.proto.alt for chart in app.get("plotly_chart"))


def test_one_class_is_explained_for_all_and_said(client):
    app = shown(EXPERIMENTS["points"][0])
    assert client.jobs[0].explained.target == 1
    assert "Choose another class under “Why”" in texts(app)
    shown(EXPERIMENTS["points"][0], target=0)
    assert client.jobs[-1].explained.target == 0


def test_a_default_class_is_never_held_against_itself(client):
    shown(EXPERIMENTS["points"][0], contrast=1)
    job = client.jobs[0].explained
    assert (job.target, job.contrast) == (0, 1)


def test_images_are_asked_about_their_own_class_alone(client):
    shown(EXPERIMENTS["images"][0], target=3, contrast=4)
    assert (client.jobs[0].explained.target, client.jobs[0].explained.contrast) == (None, None)


def test_the_view_does_not_change_with_the_example_but_the_lines_do(client):
    shown(EXPERIMENTS["points"][0])
    view, lines = (next(one for one in client.jobs if type(one) is kind) for kind in (GlobalViewJob, PartialDependenceJob))
    assert view.explained.example.index == 0
    assert lines.explained.example.index == 2


def test_what_takes_long_is_asked_for_with_its_price(client, monkeypatch):
    monkeypatch.setattr(global_ask, "AUTOMATIC_S", 0.0)
    app = shown(EXPERIMENTS["classes"][0])
    assert client.jobs == []
    assert "25 examples" not in app.button(key="here.view.ask").label  # the split has fewer
    assert "about" in app.button(key="here.view.ask").label
    app.button(key="here.view.ask").click().run()
    assert [type(one) for one in client.jobs] == [GlobalViewJob]
    assert not app.exception


def test_a_click_on_a_dot_chooses_its_example(client):
    app = shown(spiral(data=BreastCancer(), model=stack(linear(4), linear(2))))
    chart = next(one for one in app.get("plotly_chart") if "here.swarm" in one.proto.id)
    point = {"curve_number": 0, "point_index": 3, "customdata": [11, "x"]}
    states = app._tree.get_widget_states()
    chosen = {"selection": {"points": [point], "point_indices": [3], "box": [], "lasso": []}}
    states.widgets.append(WidgetState(id=chart.proto.id, string_value=json.dumps(chosen)))
    app._run(states)
    assert not app.exception
    assert app.session_state["subject.example"] == 11
    assert app.session_state["subject.split"] == "validation"


def test_the_column_of_the_lines_is_a_choice_and_lines_can_begin_at_0(client):
    app = shown(EXPERIMENTS["classes"][0])
    app.selectbox(key="here.dependence.column").select(2).run()
    assert client.jobs[-1].column == 2
    app.toggle(key="here.dependence.centred").set_value(True).run()
    assert not app.exception
    assert "change of the answer" in app.get("plotly_chart")[-1].proto.spec
