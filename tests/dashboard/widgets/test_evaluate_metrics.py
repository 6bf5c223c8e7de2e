"""The section Metrics: figures with intervals for each task, curves of chosen classes, a threshold that moves at once."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.tabular import BreastCancer, Diabetes
from core.experiment.codec import link_text
from core.jobs.evaluation_lenses import EvaluateJob
from core.optim.losses import MeanSquaredError
from core.results.codec import load_result
from core.results.evaluation import Evaluation, NumberEvaluation
from core.settings import Settings
from dashboard.session import resources
from tests.core.samples import linear, spiral, stack
from tests.dashboard.inline_client import InlineClient

CANCER = spiral(data=BreastCancer(), model=stack(linear(8), "Tanh", linear(2)))
DIGITS = spiral(data=Digits(), model=stack("Flatten", linear(10)), batch_size=64)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError())


def page():
    from core.jobs.lenses import ExampleRef
    from dashboard.session import state
    from dashboard.widgets.evaluate_metrics import panel
    from dashboard.widgets.subject import Subject

    state.load_link()
    panel(Subject(state.experiment(), None, ExampleRef()), key="here")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake


def shown(experiment) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    app.run()
    assert not app.exception
    return app


def result(client, kind=Evaluation):
    return load_result(kind, client.artifact_bytes(list(client.store.records)[-1], "result.npz"))


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info, *app.warning])


def metrics(app) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def charts(app) -> int:
    return len(app.get("plotly_chart"))


def test_two_classes_have_figures_curves_calibration_and_a_threshold(client):
    app = shown(CANCER)
    found = result(client)
    accuracy, interval = metrics(app)["Accuracy"]
    assert accuracy == f"{found.value('accuracy'):.1%}"
    low, high = found.interval("accuracy")
    assert interval == f"{low:.1%} to {high:.1%}"
    assert low <= found.value("accuracy") <= high
    assert "Among the top 3" not in metrics(app)
    assert charts(app) == 4
    assert "1,000 resamples" in texts(app)
    assert "Nothing was learnt from these examples" in texts(app)
    assert app.multiselect[0].value == [1]
    assert len(client.jobs) == 1


def test_the_threshold_moves_without_a_new_job_and_costs_are_told(client):
    app = shown(CANCER)
    found = result(client)
    app.slider(key="here.classes.threshold.at").set_value(0.9).run()
    app.number_input(key="here.classes.threshold.false_negative").set_value(10.0).run()
    assert not app.exception
    assert len(client.jobs) == 1
    table = app.table[-1].value if app.table[-1].value.shape[1] == 4 else app.table[0].value
    chosen = found.decisions(1).at(0.9)
    assert table["chosen"][1:5].tolist() == [
        f"{n:,}" for n in (chosen.true_positives, chosen.false_positives, chosen.false_negatives, chosen.true_negatives)
    ]
    assert table["chosen"].iloc[-1] == f"{chosen.cost(1, 10):.4g}"
    assert float(table["cheapest here"].iloc[-1]) <= float(table["chosen"].iloc[-1])
    assert float(table["cheapest here"].iloc[-1]) <= float(table["cheapest on validation"].iloc[-1])
    assert "the cheapest threshold for these costs would be 0.0909" in texts(app)


def test_free_errors_and_the_other_positive_class_are_possible(client):
    app = shown(CANCER)
    for name in ("false_positive", "false_negative"):
        app.number_input(key=f"here.classes.threshold.{name}").set_value(0.0).run()
    app.selectbox(key="here.classes.threshold.positive").select_index(0).run()
    assert not app.exception
    assert "No error costs anything" in texts(app)


def test_many_classes_show_the_worst_and_others_on_demand(client):
    app = shown(DIGITS)
    found = result(client)
    assert app.multiselect[0].value == sorted(found.worst(3))
    assert "Among the top 3" in metrics(app)
    assert charts(app) == 3
    assert not app.slider
    app.multiselect[0].set_value([0, 5]).run()
    assert not app.exception
    assert len(client.jobs) == 1
    assert app.run().multiselect[0].value == [0, 5]


def test_the_worst_classes_are_those_of_these_weights_until_somebody_chooses(client):
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(DIGITS)
    app.session_state["here.classes.chosen.10"] = [0, 1, 2]  # the worst of the weights that were looked at before
    app.run()
    assert app.multiselect[0].value == sorted(result(client).worst(3)) != [0, 1, 2]


@pytest.mark.parametrize(
    ("split", "words"), [("train", "learnt from these very examples"), ("validation", "flatter it a little")]
)
def test_splits_that_flatter_say_so(client, split, words):
    app = shown(CANCER)
    app.segmented_control(key="here.split").set_value(split).run()
    assert not app.exception
    assert words in texts(app)
    assert result(client).split == split
    assert [job.split for job in client.jobs] == ["test", split]


def test_numbers_have_errors_in_their_unit_and_residuals(client):
    app = shown(NUMBERS)
    found = result(client, NumberEvaluation)
    value, _interval = metrics(app)["Mean absolute error"]
    assert value == f"{found.value('mae'):.4g}"
    assert charts(app) == 3
    assert "in the unit of" in texts(app)
    assert isinstance(client.jobs[0], EvaluateJob)
