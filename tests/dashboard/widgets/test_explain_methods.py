"""The panel "This prediction": which methods, how they are set, and how they are drawn."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.data.evidence import KnownEvidence
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer
from core.experiment.codec import link_text
from core.explanation.menu import AnyExplainer
from core.jobs.lenses import ExplainJob
from core.settings import Settings
from core.spec import choices
from dashboard.session import resources
from tests.core.samples import linear, spiral, stack
from tests.dashboard.inline_client import InlineClient

CONV = ("Conv2d", {"out_channels": 4, "padding": 1})
INNER = {"layers": stack(CONV, "ReLU", CONV).layers}
IMAGES = spiral(
    data=KnownEvidence(n_examples=200),
    model=stack(CONV, ("Residual", INNER), "MaxPool2d", "Flatten", linear(4)),
    batch_size=32,
)
TABLE = spiral(data=BreastCancer(), model=stack(linear(8), "ReLU", linear(2)))
SMOOTH = spiral(data=BreastCancer(), model=stack(linear(8), "SiLU", linear(2)))
READER = ("GRU", {"hidden_size": 4, "returns": "sequence"})
TEXTS = spiral(
    data=Sentiment(n_examples=200), model=stack(("Embedding", {"num_embeddings": 128}), READER, "PoolTime", linear(2))
)
KEY = "explain.one"


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    # What is tested of how far to trust an explanation has its own tests, and takes as long as many explanations.
    monkeypatch.setattr("dashboard.widgets.explain_methods.trust_line", lambda job, found, *, key: None)
    return fake


def page():
    from dashboard.screens import explain
    from dashboard.session import state

    state.load_link()
    explain.render()


def shown(experiment) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    return run(app)


def run(app) -> AppTest:
    app.run()
    assert not app.exception
    return app


def pills(app):
    return next(group for group in app.button_group if group.key == f"{KEY}.shown")


def asked(client) -> list:
    """The methods that were asked for since the last look."""
    jobs = [job.explainer for job in client.jobs if isinstance(job, ExplainJob)]
    client.jobs.clear()
    return jobs


def kinds(explainers) -> list[str]:
    return [explainer.kind for explainer in explainers]


def charts(app) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def texts(app) -> str:
    words = " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])
    return words.replace("\\", "")  # as it is read: marks of markdown are escaped


@pytest.mark.parametrize(
    ("experiment", "usual"),
    [
        (IMAGES, ["grad_cam", "integrated_gradients", "lime_image", "shap_superpixels"]),
        (TABLE, ["integrated_gradients", "shap_tabular", "lime_tabular"]),
        (TEXTS, ["shap_text", "layer_integrated_gradients", "lime_text"]),
    ],
    ids=["images", "table", "texts"],
)
def test_the_fast_methods_are_shown_at_first_and_all_that_fit_are_offered(experiment, usual, client):
    app = shown(experiment)
    assert sorted(kinds(asked(client))) == sorted(usual)
    assert sorted(pills(app).value) == sorted(usual)
    profile = experiment.data.profile()
    layers = tuple(layer.kind for layer in experiment.model.layers)
    fitting = [cls for cls in choices(AnyExplainer) if cls().reason_against(profile, layers) is None]
    assert len(pills(app).options) == len(fitting)


def test_methods_are_chosen_by_pills_and_none_is_a_sentence(client):
    app = shown(TABLE)
    asked(client)
    pills(app).set_value(["saliency", "deep_shap"])
    run(app)
    assert kinds(asked(client)) == ["saliency", "deep_shap"]
    assert len(charts(app)) == 2
    pills(app).set_value([])
    run(app)
    assert "Choose a method above" in texts(app)
    assert charts(app) == []


def test_methods_that_do_not_apply_are_listed_with_their_reasons(client):
    words = texts(shown(SMOOTH))
    assert "DeepSHAP: DeepSHAP has no exact rule for SiLU" in words
    assert "Grad-CAM: Grad-CAM points at places in an image" in words
    assert "Occlusion: Occlusion slides a window over an image" in words


def test_settings_of_a_method_reach_its_job_and_can_be_taken_back(client):
    app = shown(TABLE)
    asked(client)
    steps = app.number_input(key=f"{KEY}.settings.integrated_gradients.form.integrated_gradients.steps")
    steps.set_value(64)
    run(app)
    changed = next(one for one in asked(client) if one.kind == "integrated_gradients")
    assert changed.steps == 64
    app.button(key=f"{KEY}.settings.integrated_gradients.usual").click()
    run(app)
    assert app.number_input(key=f"{KEY}.settings.integrated_gradients.form.integrated_gradients.steps").value == 32


def test_what_is_asked_of_all_methods_is_not_asked_again_in_their_settings(client):
    app = shown(IMAGES)
    assert not [box.key for box in app.selectbox if box.key and "settings" in box.key and "baseline" in box.key]
    asked(client)
    app.selectbox(key="explain.baseline.image").set_value("blur")
    run(app)
    with_baseline = [one for one in asked(client) if hasattr(one, "baseline")]
    assert with_baseline
    assert {one.baseline for one in with_baseline} == {"blur"}


def test_grad_cam_reads_the_layer_that_is_chosen_also_inside_others(client):
    app = shown(IMAGES)
    asked(client)
    box = app.selectbox(key=f"{KEY}.settings.grad_cam.layer")
    assert "2.3 Conv2d, 32 × 32" in box.options
    box.set_value("2.3")
    run(app)
    assert kinds(asked(client)) == ["grad_cam"]
    assert "Read from layer 2.3 Conv2d, whose maps have 32 × 32 pixels." in texts(app)


def test_the_picture_stands_beside_its_explanations_with_the_known_evidence(client):
    app = shown(IMAGES)
    drawings = charts(app)
    assert len(drawings) == 5
    assert drawings[0]["data"][0]["type"] == "image"
    for drawing in drawings:
        assert "evidence" in [trace.get("name") for trace in drawing["data"]]
    assert "the pixels that decide the right class" in texts(app)
    assert texts(app).count("probability") == 1  # what the network says is said once


def test_one_scale_for_all_patches_and_another_for_pixels(client):
    app = shown(IMAGES)

    def limits(drawings) -> dict[str, float]:
        maps = [trace for drawing in drawings for trace in drawing["data"] if trace["type"] == "heatmap" and "zmin" in trace]
        return {trace["name"]: trace["zmax"] for trace in maps if trace["name"] != "grey"}

    apart = limits(charts(app))
    assert apart["LIME"] != apart["SHAP"]
    app.toggle(key=f"{KEY}.same_scale").set_value(True)
    run(app)
    together = limits(charts(app))
    assert together["LIME"] == together["SHAP"] == max(apart["LIME"], apart["SHAP"])
    assert together["Integrated Gradients"] == apart["Integrated Gradients"]


def test_a_table_can_be_read_as_a_way_from_the_base_to_the_output(client):
    app = shown(TABLE)
    view = next(group for group in app.button_group if group.key == f"{KEY}.view.tabular")
    view.set_value("waterfall")
    run(app)
    annotations = [str(drawing["layout"].get("annotations")) for drawing in charts(app)]
    assert sum("base " in words and "output " in words for words in annotations) == 2  # LIME leads nowhere


def test_a_class_held_against_another_is_called_a_difference(client):
    app = shown(TABLE)
    app.selectbox(key="explain.target").set_value(0)
    run(app)
    app.selectbox(key="explain.contrast").set_value(1)
    run(app)
    assert "difference in logit" in texts(app)
    explained = [job for job in client.jobs if isinstance(job, ExplainJob)]
    assert {(job.target, job.contrast) for job in explained[-3:]} == {(0, 1)}


def test_pinned_and_present_stand_side_by_side_with_the_same_methods_and_settings(client):
    app = shown(TABLE)
    app.button(key="explain.pin").click()
    run(app)
    assert len(charts(app)) == 6
    pills(app).set_value(["saliency"])
    run(app)
    pinned = next(group for group in app.button_group if group.key == f"{KEY}.pinned.shown")
    assert pinned.value == ["saliency"]
    assert len(charts(app)) == 2
    pinned.set_value(["saliency", "integrated_gradients"])
    run(app)
    app.number_input(key=f"{KEY}.pinned.settings.integrated_gradients.form.integrated_gradients.steps").set_value(16)
    run(app)
    assert app.number_input(key=f"{KEY}.settings.integrated_gradients.form.integrated_gradients.steps").value == 16


def test_a_class_held_against_the_predicted_one_is_told_in_words(client):
    app = shown(TABLE)
    predicted = next(text.value.split(":")[0] for text in app.text if "probability" in text.value)
    names = TABLE.data.profile().class_names
    app.selectbox(key="explain.contrast").set_value(names.index(predicted))
    run(app)
    assert "cannot be held against itself" in texts(app)
