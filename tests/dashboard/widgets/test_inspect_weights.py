"""The weights lens: what is seen is computed, and nothing else; what does not apply says so."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.tabular import Diabetes
from core.data.toy import GaussRegression
from core.jobs.training import TrainJob
from core.jobs.weight_lenses import FiltersJob, NeuronsJob, WeightsOverTimeJob
from core.optim.losses import MeanSquaredError
from core.results.filters import Filters
from core.settings import Settings
from dashboard.figures.filters import View
from dashboard.session import resources
from dashboard.widgets.inspect_filters import in_words
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient

DIGITS = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64, steps=5)
RNN = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))


def page():
    import streamlit as st

    from core.experiment.codec import from_link_text
    from core.jobs.lenses import ExampleRef
    from dashboard.session import resources
    from dashboard.session.moments import moments
    from dashboard.widgets.inspect_weights import panel
    from dashboard.widgets.subject import Subject

    experiment, run = from_link_text(st.session_state["x"]), st.session_state.get("run")
    moment = moments(resources.reader().run(run))[-1] if run else None
    weights, step = (moment.ref, moment.step) if moment else (None, 0)
    subject = Subject(experiment, weights, ExampleRef(index=3), run, step)
    for key in st.session_state["keys"]:
        panel(subject, key=key)


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake


def shown(client, experiment, *, is_trained=True, keys=("here",)) -> AppTest:
    from core.experiment.codec import link_text

    app = AppTest.from_function(page, default_timeout=120)
    app.session_state["x"], app.session_state["keys"] = link_text(experiment), keys
    if is_trained:
        app.session_state["run"] = client.submit(TrainJob(experiment=experiment))
    app.run()
    assert not app.exception
    return app


def asked(client, kind) -> list:
    return [job for job in client.jobs if isinstance(job, kind)]


def texts(app) -> str:
    return " ".join(element.value for element in [*app.caption, *app.info, *app.markdown])


def choose(app, view) -> AppTest:
    app.button_group(key="here.view").set_value(view).run()
    assert not app.exception
    return app


def test_a_small_net_is_drawn_and_a_click_selects_a_neuron_everywhere(client):
    app = shown(client, spiral(steps=20))
    assert (len(asked(client, NeuronsJob)), asked(client, FiltersJob), asked(client, WeightsOverTimeJob)) == (1, [], [])
    data = component_data(app, "here.neurons.drawing")
    assert [column["n"] for column in data["columns"]] == [2, 8, 2]
    assert data["columns"][0]["names"] == ["x1", "x2"]
    assert data["columns"][2]["names"] == ["class 0", "class 1"]
    assert [np.shape(one) for one in data["weights"]] == [(8, 2), (2, 8)]
    assert len(data["points"]) == 3
    fire(app, "here.neurons.drawing", "pick", [1, 5])
    assert (app.session_state["subject.layer"], app.session_state["subject.unit"]) == (0, 5)
    assert component_data(app, "here.neurons.drawing")["chosen"] == [1, 5]


@pytest.mark.fault(129)
@pytest.mark.parametrize("wrong", [None, [0, 1], [1, 99], [9, 0], ["1", 2], [1, True], {"a": 1}, [1]])
def test_what_no_neuron_sends_is_ignored(client, wrong):
    app = shown(client, spiral(steps=5), is_trained=False)
    fire(app, "here.neurons.drawing", "pick", wrong)
    assert not app.exception
    assert "subject.layer" not in app.session_state


def test_a_table_is_drawn_without_maps(client):
    table = spiral(data=Diabetes(), model=stack(linear(4), "ReLU", linear(1)), loss=MeanSquaredError(), steps=5)
    data = component_data(shown(client, table), "here.neurons.drawing")
    assert "maps" not in data["columns"][1]
    assert len(data["columns"][0]["names"]) == data["columns"][0]["n"] == 10


def test_numbers_of_the_plane_have_points_in_their_colours(client):
    plane = spiral(data=GaussRegression(), model=stack(linear(4), "Tanh", linear(1)), loss=MeanSquaredError(), steps=5)
    shades = component_data(shown(client, plane), "here.neurons.drawing")["points"][2]
    assert 0 <= min(shades) < 0.4 < 0.6 < max(shades) <= 1


def test_an_image_net_shows_pictures_and_says_why_there_are_no_neurons(client):
    app = shown(client, DIGITS)
    assert asked(client, FiltersJob)[0].layer == (0,)
    assert len(app.get("plotly_chart")) == 1
    app.selectbox(key="here.filters.layer").set_value((2,)).run()
    assert asked(client, FiltersJob)[-1].layer == (2,)
    assert app.session_state["subject.layer"] == 2
    assert "Layer 3 Linear: weight is 10 × 72" in texts(app)
    choose(app, "neurons")
    assert "too many inputs" in texts(app)
    assert not asked(client, NeuronsJob)


def test_another_example_asks_for_nothing_new(client):
    shown(client, DIGITS)  # looks at example 3
    assert asked(client, FiltersJob)[0].example.index == 0


def test_of_a_layer_with_several_matrices_one_is_chosen(client):
    from core.data.sequence import Sentiment

    app = shown(client, spiral(data=Sentiment(n_examples=200), model=RNN, steps=3), is_trained=False)
    app.selectbox(key="here.filters.layer").set_value((1,)).run()
    names = app.selectbox(key="here.filters.tensor.1").options
    assert len(names) == 2
    app.selectbox(key="here.filters.tensor.1").set_value(1).run()
    assert asked(client, FiltersJob)[-1].tensor == 1
    assert names[1] in texts(app)


def test_both_views_over_time_come_from_one_job(client):
    app = choose(shown(client, DIGITS), "histograms")
    assert len(app.get("plotly_chart")) == 3
    app.selectbox(key="here.histograms.layer").set_value(1).run()
    assert len(app.get("plotly_chart")) == 1
    assert "no trained weights" in texts(app)
    choose(app, "gradients")
    assert len(app.get("plotly_chart")) == 2
    assert "evaluation mode" in texts(app)
    assert "makes next" in texts(app)
    assert len({job.key() for job in asked(client, WeightsOverTimeJob)}) == 1


def test_without_a_run_there_is_nothing_over_time(client):
    app = choose(shown(client, DIGITS, is_trained=False), "gradients")
    assert "press Train" in texts(app)
    assert not asked(client, WeightsOverTimeJob)


def test_while_a_run_goes_on_new_moments_wait_for_a_click(client):
    app = shown(client, DIGITS)
    run = app.session_state["run"]
    known = client.store.saved[run]
    client.store.saved[run] = known[:1]
    client.store.records[run] = replace(client.store.records[run], state="running")
    choose(app, "gradients")
    assert len(asked(client, WeightsOverTimeJob)[-1].checkpoints) == 1
    client.store.saved[run] = known
    app.run()
    assert len(asked(client, WeightsOverTimeJob)[-1].checkpoints) == 1
    app.button(key="here.gradients.more").click().run()
    assert not app.exception
    assert len(asked(client, WeightsOverTimeJob)[-1].checkpoints) > 1


def test_it_stands_on_a_page_twice_and_shows_the_same_view(client):
    app = shown(client, DIGITS, keys=("here", "pinned"))
    assert len(app.get("plotly_chart")) == 2
    choose(app, "gradients")
    assert app.session_state["pinned.view"] == "gradients"
    assert len(app.get("plotly_chart")) == 4


def test_words_say_what_is_left_out():
    found = Filters("a: weight", "tiles", np.zeros((20, 30, 3, 3), np.float32), 64, (64, 30, 3, 3), 5, False)
    words = in_words(found, View())
    assert "Seen are 8 of 64 outputs and 16 of 30 inputs" in words
    assert "from 20 on are left out" in words
    assert "after step 5" in words
