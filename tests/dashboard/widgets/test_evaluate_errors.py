"""Errors and Robustness: a cell leads to its examples and one of them to Explain; every view stands for every kind of data."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes, Iris
from core.experiment.codec import file_text
from core.experiment.experiment import Budget
from core.jobs.error_lenses import DisturbedExampleJob, ExamplesJob, RobustnessJob
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.training import TrainJob
from core.optim.losses import MeanAbsoluteError, MeanSquaredError
from core.results.codec import load_result
from core.results.predictions import Predictions
from core.results.slices import Slices
from dashboard.session import selection
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire

BRIEF = Budget(epochs=None, steps=8)
IMAGES = spiral(data=Digits(), model=stack("Flatten", linear(10)), batch_size=64, budget=BRIEF)
ROWS = spiral(data=Iris(), model=stack(linear(3)), budget=BRIEF)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(1)), loss=MeanAbsoluteError(), budget=BRIEF)
READER = stack(("Embedding", {"num_embeddings": 128}), ("PoolTime", {}), linear(2))
TEXTS = spiral(data=Sentiment(n_examples=200), model=READER, budget=BRIEF)
EACH = {"images": IMAGES, "rows": ROWS, "numbers": NUMBERS, "texts": TEXTS, "points": spiral(budget=BRIEF)}


def page():
    import streamlit as st

    from core.experiment.codec import from_file_text
    from core.jobs.lenses import ExampleRef
    from dashboard.session import resources
    from dashboard.session.moments import moments
    from dashboard.widgets import evaluate_errors, evaluate_robustness
    from dashboard.widgets.subject import Subject

    run = st.session_state.get("state.run")
    kept = moments(resources.reader().run(run)) if run else ()
    ref, step = (kept[-1].ref, kept[-1].step) if kept else (None, 0)
    subject = Subject(from_file_text(st.session_state["experiment"]), ref, ExampleRef(), run, step)
    panel = evaluate_robustness.panel if st.session_state.get("robust") else evaluate_errors.panel
    panel(subject, key="here")


def shown(experiment, **state) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["experiment"] = file_text(experiment)
    for name, value in state.items():
        app.session_state[name.replace("__", ".")] = value
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.caption, *app.info])


def predictions(client) -> Predictions:
    job = next(job for job in client.jobs if isinstance(job, PredictionsJob))
    run = next(run for run, record in client.store.records.items() if record.key == job.key())
    return load_result(Predictions, client.artifact_bytes(run, "result.npz"))


def test_a_cell_leads_to_its_examples_and_one_of_them_to_explain(client, monkeypatch):
    opened = []
    monkeypatch.setattr("dashboard.widgets.evaluate_errors_gallery.open_screen", opened.append)
    app = shown(IMAGES)
    said = predictions(client)
    counts = confusion_matrix(said.labels, said.predicted, labels=range(10))
    data = component_data(app, "here.matrix.matrix")
    assert data["frames"] == [{"step": 0, "counts": counts.tolist()}]
    true, predicted = (int(one) for one in np.argwhere(counts * (1 - np.eye(10)) > 0)[0])
    fire(app, "here.matrix.matrix", "cell", {"true": true, "predicted": predicted})
    behind = np.flatnonzero((said.labels == true) & (said.predicted == predicted))
    cards = component_data(app, "here.matrix.cell.cards")["cards"]
    assert len(cards) == min(24, len(behind))
    assert all(card["picture"].startswith("data:image/png") and len(card["bars"]) >= 3 for card in cards)
    (asked,) = [job for job in client.jobs if isinstance(job, ExamplesJob)]
    assert set(asked.places) <= set(behind.tolist())
    fire(app, "here.matrix.cell.cards", "explain", 0)
    assert opened == ["explain"]
    assert app.session_state["explain.section"] == "one"
    assert app.session_state[selection.SPLIT] == "validation"
    assert app.session_state[selection.EXAMPLE] == asked.places[0]
    assert component_data(app, "here.matrix.cell.cards")["chosen"] == 0


@pytest.mark.fault(129)
@pytest.mark.parametrize("sent", [{"true": 99, "predicted": 0}, {"true": True, "predicted": 0}, "0,0", None, {"true": 1}])
def test_a_cell_that_is_none_is_not_chosen(client, sent):
    app = fire(shown(ROWS), "here.matrix.matrix", "cell", sent)
    assert not app.exception
    assert component_data(app, "here.matrix.matrix")["chosen"] is None


def test_the_largest_errors_are_buttons(client):
    app = shown(TEXTS)
    pills = next(one for one in app.button_group if one.key == "here.matrix.pairs")
    names = ["negative", "positive"]
    true, predicted = (names.index(name) for name in pills.options[0].rpartition(" (")[0].split(" → "))
    pills.set_value((true, predicted)).run()
    assert not app.exception
    assert component_data(app, "here.matrix.matrix")["chosen"] == [true, predicted]
    assert f"taken for {names[predicted]}" in texts(app)


def test_the_matrix_is_followed_over_the_run_and_a_cell_has_a_curve(client):
    run = client.submit(TrainJob(experiment=ROWS))
    app = shown(ROWS, state__run=run, here__view__classes="time")
    frames = component_data(app, "here.time.matrix")["frames"]
    assert [frame["step"] for frame in frames] == sorted({one.step for one in client.store.artifacts(run, "checkpoint")})
    fire(app, "here.time.matrix", "cell", {"true": 0, "predicted": 1})
    assert len(app.get("plotly_chart")) == 1
    assert "at step 0" in texts(app)
    app.segmented_control(key="here.view.classes").set_value("matrix").run()
    assert component_data(app, "here.matrix.matrix")["chosen"] == [0, 1]


def test_a_run_that_diverged_says_so_before_its_figures(client):
    diverging = spiral("sgd", 10.0, data=Diabetes(), model=stack(linear(8), "ReLU", linear(1)), loss=MeanSquaredError())
    run = client.submit(TrainJob(experiment=diverging))
    assert client.store.run(run).state == "failed"
    app = shown(diverging, state__run=run)
    words = " ".join(one.value for one in app.warning)
    assert "This run diverged." in words
    assert "untrained model" in words or "from before that" in words
    assert not shown(diverging).warning


def test_slices_tell_shares_in_per_cent_and_errors_as_numbers(client):
    for name, kind, column in (("rows", "classes", "accuracy"), ("numbers", "numbers", "mean error")):
        app = shown(EACH[name], **{f"here__view__{kind}": "slices"})
        run = next(
            run for run, record in client.store.records.items() if '"slices"' in record.job and record.state == "finished"
        )
        found = load_result(Slices, client.artifact_bytes(run, "result.npz"))
        scale = 100 if name == "rows" else 1
        assert sorted(app.dataframe[0].value[column]) == pytest.approx(sorted(scale * found.score))
        client.store.records.clear()


def test_two_runs_of_the_same_data_are_held_against_each_other(client):
    run = client.submit(TrainJob(experiment=ROWS))
    other = client.submit(TrainJob(experiment=ROWS.but(model=stack(linear(4), "Tanh", linear(3)))))
    client.submit(TrainJob(experiment=ROWS.but(seed=1)))
    app = shown(
        ROWS, state__run=run, here__view__classes="runs", state__recent_runs=(run,), runs__chosen=(other, *client.store.records)
    )
    assert len(app.selectbox(key="here.runs.other").options) == 1
    one, two, apart = (component_data(app, f"here.runs.{name}")["frames"][0]["counts"] for name in ("one", "two", "difference"))
    np.testing.assert_array_equal(np.subtract(one, two), apart)
    assert np.sum(apart) == 0
    fire(app, "here.runs.difference", "cell", {"true": 1, "predicted": 1})
    assert "only of the present model" in texts(app)


def test_without_a_run_there_is_nothing_to_follow_or_to_compare(client):
    assert "no two kept moments" in texts(shown(ROWS, here__view__classes="time"))
    assert "no other model" in texts(shown(ROWS, here__view__classes="runs"))


@pytest.mark.parametrize("name", EACH)
def test_every_kind_of_data_has_telling_examples_and_slices(client, name):
    kind = "numbers" if name == "numbers" else "classes"
    app = shown(EACH[name], **{f"here__view__{kind}": "examples"})
    cards = component_data(app, "here.examples.gallery.cards")["cards"]
    assert cards
    assert all(bool(card["picture"]) == (name == "images") for card in cards)
    assert ("no confusion matrix" in texts(app)) == (name == "numbers")
    app = shown(EACH[name], **{f"here__view__{kind}": "slices"})
    assert "by chance alone" in texts(app)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("name", EACH)
def test_every_kind_of_data_has_a_disturbance_and_is_told_which_do_not_fit(client, name):
    app = shown(EACH[name], robust=True)
    assert len(app.get("plotly_chart")) == 1
    assert "undisturbed" in texts(app)
    assert f"these data are {name if name not in ('rows', 'numbers') else 'tables'}" in texts(app)
    first = next(job for job in client.jobs if isinstance(job, RobustnessJob))
    strip = component_data(app, "here.one.strip")["cards"]
    assert len(strip) == first.n_strengths
    if name == "images":
        app.selectbox(key="here.kind").set_value("fgsm").run()
        assert "(grey levels of 255)" in texts(app)


def test_the_strip_shows_the_example_that_is_looked_at(client):
    shown(IMAGES, robust=True, **{"subject__split": "train", "subject__example": 5})
    job = next(job for job in client.jobs if isinstance(job, DisturbedExampleJob))
    assert (job.example.split, job.example.index) == ("train", 5)


def test_an_own_picture_is_asked_for_and_a_drawing_too(client):
    for source, words in (("file", "Choose a picture."), ("drawing", "Draw a picture")):
        app = shown(IMAGES, robust=True, here__one__source=source)
        assert words in texts(app)
