"""The embedding lens: a click chooses the example everywhere, moments stay in one frame, words say how far to trust it."""

import base64

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.tabular import Diabetes
from core.events import Artifact, ArtifactSaved
from core.experiment.codec import file_text
from core.experiment.experiment import Budget
from core.jobs.embedding_lenses import MAX_MOMENTS, EmbeddingJob
from core.jobs.training import TrainJob
from core.optim.losses import MeanAbsoluteError
from core.results.codec import load_result
from core.results.embedding import Embedding
from core.settings import Settings
from core.store.protocol import ArtifactRecord
from dashboard.session import resources
from dashboard.widgets.embedding_words import axes, basis_words, chosen_words, trust_words
from dashboard.widgets.inspect_embedding import evenly
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient

POINTS = "here.points"
IMAGES = spiral(
    data=Digits(), model=stack("Flatten", linear(6), "ReLU", linear(10)), batch_size=64, budget=Budget(epochs=None, steps=8)
)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(4), "Tanh", linear(1)), loss=MeanAbsoluteError())


def page():
    import streamlit as st

    from core.experiment.codec import from_file_text
    from core.jobs.job import ArtifactRef
    from core.jobs.lenses import ExampleRef
    from dashboard.session import resources, selection
    from dashboard.session.moments import moments
    from dashboard.widgets.inspect_embedding import panel
    from dashboard.widgets.subject import Subject

    run = st.session_state.get("run")
    kept = moments(resources.reader().run(run)) if run else ()
    step = st.session_state.get("step", kept[-1].step if kept else 0)
    refs = {one.step: one.ref for one in kept}
    ref: ArtifactRef | None = refs.get(step)
    split = selection.split(("validation", "train", "test"))
    example = ExampleRef(split=split, index=selection.example(10_000) or 0)
    panel(Subject(from_file_text(st.session_state["experiment"]), ref, example, run, step), key="here")


class CheckingClient(InlineClient):
    """Refuses what the supervisor refuses."""

    def submit(self, job, owner="", name=""):
        job.check(self.settings)
        return super().submit(job, owner, name)


@pytest.fixture
def client(home, monkeypatch):
    fake = CheckingClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def trained(client, experiment) -> str:
    return client.submit(TrainJob(experiment=experiment))


def keep(client, run, experiment, n: int) -> None:
    other = client.submit(TrainJob(experiment=experiment.but(budget=experiment.budget.but(steps=n))))
    saved = client.store.saved[other][-1]
    data = client.shelf.read(other, saved.name, saved.sha256)
    event: ArtifactSaved = client.shelf.put(run, Artifact(saved.name, "checkpoint", saved.step, data))
    client.store.saved[run].append(ArtifactRecord(run, event.name, event.kind, event.step, 0, event.n_bytes, event.sha256))
    client.store.saved[run].sort(key=lambda one: one.step)


def shown(experiment, run=None, **state) -> AppTest:
    app = AppTest.from_function(page, default_timeout=180)
    app.session_state["experiment"] = file_text(experiment)
    if run:
        app.session_state["run"] = run
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.caption, *app.info])


def lens_jobs(client) -> list[EmbeddingJob]:
    return [job for job in client.jobs if isinstance(job, EmbeddingJob)]


def result(client) -> Embedding:
    run = [name for name, record in client.store.records.items() if record.kind == "embedding"][-1]
    return load_result(Embedding, client.artifact_bytes(run, "result.npz"))


def places(data) -> np.ndarray:
    fine = np.frombuffer(base64.b64decode(data["positions"]), "<u2").reshape(len(data["steps"]), data["n"], data["dimensions"])
    return fine / 65_535 * data["extent"] + np.array(data["low"])


def test_a_click_chooses_the_example_for_all_panels(client):
    app = shown(IMAGES, trained(client, IMAGES))
    fire(app, POINTS, "pick", 7)
    assert not app.exception
    index = component_data(app, POINTS)["indices"][7]
    assert app.session_state["subject.split"] == "validation"
    assert app.session_state["subject.example"] == index
    assert component_data(app, POINTS)["chosen"] == 7
    assert "The ring marks" in texts(app)
    assert len(lens_jobs(client)) == 1  # nothing was computed again


@pytest.mark.parametrize("stranger", [-1, 10_000, "7", None, True, 1.5, [7], {"place": 7}])
def test_anything_else_that_comes_back_is_no_choice(client, stranger):
    app = shown(spiral())
    fire(app, POINTS, "pick", stranger)
    assert not app.exception
    assert "subject.example" not in app.session_state


def test_the_browser_gets_the_places_of_all_moments_and_what_the_network_says(client):
    app = shown(IMAGES, trained(client, IMAGES))
    data, found = component_data(app, POINTS), result(client)
    assert data["steps"] == found.steps.tolist()
    assert (data["steps"][0], data["steps"][-1]) == (0, 8)
    np.testing.assert_allclose(places(data), found.positions, atol=data["extent"] / 60_000)
    said = np.frombuffer(base64.b64decode(data["predicted"]), "<i2").reshape(found.predictions.shape)
    np.testing.assert_array_equal(said, found.predictions)
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(data["labels"]), "<i2"), found.labels)
    np.testing.assert_allclose(data["trust"], found.trustworthiness, atol=1e-4)
    assert data["classes"] == [str(name) for name in found.class_names]
    assert data["pictures"]["width"] == 8
    assert data["moment"] == len(data["steps"]) - 1


def test_the_moment_follows_the_slider_without_computing_anything(client):
    run = trained(client, IMAGES)
    app = shown(IMAGES, run)
    app.session_state["step"] = 2
    app.run()
    data = component_data(app, POINTS)
    assert data["steps"][data["moment"]] == 2
    assert len(lens_jobs(client)) == 1


def test_newer_moments_wait_until_they_are_taken_in(client):
    run = trained(client, IMAGES)
    app = shown(IMAGES, run)
    keep(client, run, IMAGES, 12)
    app.run()
    assert len(lens_jobs(client)) == 1
    assert "the slider is at step 12" in texts(app)
    app.button(key="here.newer").click().run()
    assert component_data(app, POINTS)["steps"][-2:] == [8, 12]
    assert not [button for button in app.button if button.key == "here.newer"]


def test_this_moment_alone_can_be_asked_for(client):
    app = shown(IMAGES, trained(client, IMAGES))
    app.toggle(key="here.over_time").set_value(False).run()
    assert component_data(app, POINTS)["steps"] == [8]


def test_layer_split_number_and_dimensions_are_what_is_asked(client):
    app = shown(IMAGES)
    assert lens_jobs(client)[-1].layer == 2
    app.selectbox(key="here.layer").set_value(1).run()
    assert app.session_state["subject.layer"] == 1
    app.selectbox(key="here.split").set_value("train").run()
    app.selectbox(key="here.n").set_value(200).run()
    app.selectbox(key="here.dimensions").set_value(3).run()
    assert not app.exception
    job = lens_jobs(client)[-1]
    assert (job.layer, job.split, job.n, job.dimensions) == (1, "train", 200, 3)
    data = component_data(app, POINTS)
    assert (data["dimensions"], data["n"], len(data["axes"])) == (3, 200, 3)
    assert ("not among these points" in texts(app)) == (data["chosen"] < 0)


def test_tsne_has_axes_without_a_unit_and_refuses_too_many_neighbours_in_words(client):
    app = shown(spiral())
    app.selectbox(key="here.projection.kind").set_value("tsne").run()
    assert "for 50 examples; at most 16 is possible" in texts(app)
    app.number_input(key="here.projection.tsne.perplexity").set_value(5).run()
    assert not app.exception
    assert component_data(app, POINTS)["axes"] == ["t-SNE 1 (no unit)", "t-SNE 2 (no unit)"]
    assert "Trustworthiness" in texts(app)


def test_numbers_are_coloured_by_numbers(client):
    data = component_data(shown(NUMBERS), POINTS)
    assert data["classes"] == []
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(data["targets"]), "<f4"), result(client).targets, rtol=1e-6)
    assert data["told"][0].count(",") == 3


def test_at_most_so_many_moments_evenly_on_a_logarithmic_axis():
    steps = [0, *range(1, 400)]
    found = evenly(steps, MAX_MOMENTS)
    assert len(found) == MAX_MOMENTS
    assert (found[0], found[-1]) == (0, 399)
    gaps = np.diff(np.log1p(found))
    assert gaps.max() < 2.5 * gaps.min()
    assert evenly([3, 5], MAX_MOMENTS) == [3, 5]


def embedding(trust=0.97, method="pca", **changes) -> Embedding:
    two = (1, np.nan)
    fields = {
        "method": method,
        "layer": 2,
        "layer_name": "3 ReLU",
        "n_features": 64,
        "split": "test",
        "indices": np.arange(20),
        "labels": np.zeros(20, int),
        "class_names": ("a", "b"),
        "steps": np.array([1, 9]),
        "positions": np.zeros((2, 20, 2), np.float32),
        "predictions": np.zeros((2, 20), np.int32),
        "trustworthiness": trust * np.array(two),
        "kept_neighbors": 0.5 * np.array(two),
        "n_neighbors": 12,
        "explained": np.array([0.5, 0.25]),
        "explained_then": 0.6 * np.array(two),
        "confidence": np.ones((2, 20), np.float32),
    }
    return Embedding(**(fields | changes))


@pytest.mark.parametrize(("trust", "words"), [(0.97, "nearly all"), (0.9, "some are not"), (0.6, "do not read groups")])
def test_words_say_how_far_to_trust_the_picture(trust, words):
    said = trust_words(embedding(trust), 0)
    assert f"{trust:.2f}" in said
    assert words in said
    assert "6.0 are among the 12 nearest" in said
    assert "all points are one" in trust_words(embedding(trust), 1)


def test_words_say_what_the_axes_are():
    assert axes(embedding(), "PC") == ["PC 1, 50% of the variance", "PC 2, 25% of the variance"]
    assert "shows 75% of how they vary" in basis_words(embedding(), 0)
    assert "At this moment it is 60%" in basis_words(embedding(), 0)
    assert "nan" not in basis_words(embedding(), 1)
    assert "2 principal components, 75%" in basis_words(embedding(method="tsne"), 0)
    assert "Procrustes" in basis_words(embedding(method="umap"), 0)
    assert "Procrustes" not in basis_words(embedding(method="umap", steps=np.array([1])), 0)
    assert "not among" in chosen_words(embedding(), -1)
