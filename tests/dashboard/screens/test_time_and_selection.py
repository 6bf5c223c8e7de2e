"""One slider and one selection on all screens; one look pinned beside another; what if; who differs."""

from array import array

import pytest
from streamlit.testing.v1 import AppTest

from core.data.gallery import example
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Iris
from core.experiment.codec import link_text
from core.experiment.experiment import Budget
from core.history import History
from core.jobs.compare_lenses import DisagreementJob, PredictionJob
from core.jobs.lenses import ExplainJob
from core.jobs.training import TrainJob
from dashboard.widgets.time_slider import loss_curves
from dashboard.widgets.what_if import editor_key
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire

CNN = stack(("Conv2d", {"out_channels": 2}), "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64, budget=Budget(epochs=2))
IRIS = spiral(data=Iris(), model=stack(linear(8), "Tanh", linear(3)), budget=Budget(epochs=3))
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER, budget=Budget(epochs=1))


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


def shown(page, experiment, run: str | None = None) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    if run:
        app.query_params["run"] = run
    app.run()
    assert not app.exception
    return app


def section(app: AppTest, name: str) -> AppTest:
    app.session_state["explain.section"] = name
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def moved(app: AppTest, screen: str, step: int, seq: int = 1) -> AppTest:
    run = component_data(app, f"{screen}.moment")["run"]
    fire(app, f"{screen}.moment", "moment", {"seq": seq, "step": step, "run": run})
    assert not app.exception
    return app


def test_the_slider_knows_every_kept_moment_and_the_loss_there(client):
    run = client.submit(TrainJob(experiment=DIGITS))
    data = component_data(shown(inspect, DIGITS, run), "inspect.moment")
    steps = [moment["step"] for moment in data["moments"]]
    assert steps == sorted({one.step for one in client.store.artifacts(run, kind="checkpoint")})
    assert steps[:4] == [0, 1, 2, 4]
    newest = [moment for moment in data["moments"] if moment["newest"]]
    assert [moment["step"] for moment in newest] == [data["chosen"]] == [steps[-1]]
    assert newest[0]["epoch"] == pytest.approx(2.0)
    assert any(moment["best"] for moment in data["moments"])
    assert [step for step, _loss in data["validation"]] == [steps[-1] // 2, steps[-1]]
    assert len(data["batches"]) > 10


def test_a_moment_chosen_on_one_screen_holds_on_the_other_and_in_the_curves(client):
    run = client.submit(TrainJob(experiment=DIGITS))
    app = moved(shown(inspect, DIGITS, run), "inspect", 2)
    assert "Weights after step 2." in texts(app)
    assert app.session_state["subject.moment"] == (run, 2)
    other = AppTest.from_function(explain, default_timeout=120)
    other.query_params["run"] = run
    other.session_state["subject.moment"] = (run, 2)
    other.run()
    assert component_data(other, "explain.moment")["chosen"] == 2
    explained = [job for job in client.jobs if isinstance(job, ExplainJob)]
    assert explained
    assert all(job.weights.name.endswith("000000002.safetensors") for job in explained)


@pytest.mark.parametrize("sent", [None, {"step": 2}, {"step": 3, "run": "x"}, {"step": 10**9}, "2", {"step": "2"}])
def test_what_is_no_moment_of_this_run_changes_nothing(client, sent):
    run = client.submit(TrainJob(experiment=DIGITS))
    app = shown(inspect, DIGITS, run)
    before = component_data(app, "inspect.moment")["chosen"]
    fire(app, "inspect.moment", "moment", sent)
    assert not app.exception
    assert component_data(app, "inspect.moment")["chosen"] == before


def test_batch_losses_are_means_of_equal_parts_of_a_logarithmic_axis():
    history = History()
    history.losses.append(array("d", range(1, 1001)))
    batches, validation = loss_curves(history, 0)
    assert not validation
    assert batches[0] == (1, 1.0)
    assert batches[-1][0] == 1000
    steps = [step for step, _loss in batches]
    assert steps == sorted(set(steps))
    start = steps[-2]
    assert batches[-1][1] == pytest.approx((start + 1 + 1000) / 2)
    assert loss_curves(history, 5) == ((), ())


def test_one_look_is_pinned_and_another_stands_beside_it(client):
    run = client.submit(TrainJob(experiment=DIGITS))
    app = shown(inspect, DIGITS, run)
    n_charts = len(app.get("plotly_chart"))
    app.button(key="inspect.pin").click().run()
    moved(app, "inspect", 0)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2 * n_charts
    assert "step 0 · validation example" in texts(app)
    assert f"step {component_data(app, 'inspect.moment')['moments'][-1]['step']:,} · validation example" in texts(app)
    app.button(key="inspect.unpin").click().run()
    assert len(app.get("plotly_chart")) == n_charts


def test_an_erased_patch_is_predicted_and_explained(client):
    run = client.submit(TrainJob(experiment=DIGITS))
    app = section(shown(explain, DIGITS, run), "if")
    ref = next(job for job in client.jobs if isinstance(job, PredictionJob)).example
    name = editor_key(ref, "explain.if") + ".retouch"
    data = component_data(app, name)
    assert data["present"] == data["original"]
    assert len(data["segments"]) == 64
    fire(app, name, "picture", data["original"])
    assert not app.exception
    predicted = [job for job in client.jobs if isinstance(job, PredictionJob)]
    assert predicted[-1].example.retouched
    fire(app, name, "picture", "original")
    assert not app.exception
    assert not app.session_state[f"what_if.changed.explain.if.{ref.model_dump_json()}"]
    fire(app, name, "picture", "data:image/png;base64,AAAA")
    assert not app.exception


def test_a_changed_number_of_a_row_is_followed(client):
    run = client.submit(TrainJob(experiment=IRIS))
    app = section(shown(explain, IRIS, run), "if")
    slider = app.slider[0]
    slider.set_value(slider.max).run()
    assert not app.exception
    last = [job for job in client.jobs if isinstance(job, PredictionJob)][-1]
    assert last.example.values == ((0, slider.max),)
    assert "As it is:" in texts(app)
    app.button(key=next(b.key for b in app.button if b.key and b.key.endswith(".reset"))).click().run()
    assert app.slider[0].value != slider.max


def test_a_word_is_hidden_from_the_model(client):
    run = client.submit(TrainJob(experiment=SENTENCES))
    app = section(shown(explain, SENTENCES, run), "if")
    words = next(group for group in app.button_group if str(group.key).endswith(".words"))
    words.set_value([_first_place(client)]).run()
    assert not app.exception
    last = [job for job in client.jobs if isinstance(job, PredictionJob)][-1]
    assert len(last.example.hidden) == 1


def _first_place(client) -> int:
    splits = SENTENCES.data.splits(0)
    ref = next(job for job in client.jobs if isinstance(job, PredictionJob)).example
    return next(i for i, token in enumerate(example(splits, ref.split, ref.index).tokens) if token)


def test_two_moments_are_compared_with_both_explanations(client):
    run = client.submit(TrainJob(experiment=IRIS))
    app = section(shown(explain, IRIS, run), "differ")
    job = next(job for job in client.jobs if isinstance(job, DisagreementJob))
    assert job.rival.weights != job.weights
    assert "The two models differ on" in texts(app)
    assert "Present minus other" in texts(app) or "differ on 0" in texts(app)
    app.selectbox(key="explain.differ.other").set_value(0).run()
    assert not app.exception
    assert "step 0:" in texts(app)


def test_without_a_run_there_is_nothing_to_compare_and_that_is_said(client):
    app = section(shown(explain, IRIS), "differ")
    assert "nothing to compare with yet" in texts(app)
