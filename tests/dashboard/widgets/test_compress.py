"""The Compress screen: what will be done is said before, what came of it beside the original, and the way on from there."""

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.experiment.experiment import Budget
from core.jobs.compress import FILE, CompressJob, PruningSweepJob
from core.jobs.training import TrainJob
from core.settings import Settings
from dashboard.session import resources
from dashboard.widgets.compress_sweep import sweep_table, sweep_words
from dashboard.widgets.compress_words import (
    _time_words,
    agreement_words,
    change_words,
    cost_numbers,
    cost_table,
    headline,
    honest_words,
)
from dashboard.widgets.table_file import csv_text
from tests.core.samples import linear, spiral, stack
from tests.dashboard.figures.test_compress_figures import REPORT, SWEEP
from tests.dashboard.inline_client import InlineClient

CNN = stack(("Conv2d", {"out_channels": 4, "stride": 2}), "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64, budget=Budget(epochs=1))
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4, "returns": "last"}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER, budget=Budget(epochs=1))


def page():
    from dashboard.screens import compress
    from dashboard.session import state

    state.load_link()
    compress.render()


def train_page():
    from dashboard.screens import train
    from dashboard.session import state

    state.load_link()
    train.render()


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    monkeypatch.setattr("core.compression.measure.TIMED_S", 0.0)
    return fake


def shown(client, experiment=DIGITS, what=page) -> AppTest:
    app = AppTest.from_function(what, default_timeout=60)
    app.query_params["run"] = client.submit(TrainJob(experiment=experiment))
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info]).replace("\\", "")


def jobs(client, cls) -> list:
    return [job for job in client.jobs if isinstance(job, cls)]


def test_nothing_runs_before_the_button_and_what_will_be_done_is_said(client):
    app = shown(client)
    assert not jobs(client, CompressJob)
    assert "Treats 1 Conv2d, 4 Linear." in texts(app)
    app.selectbox(key="compress.one.form.kind").set_value("structured").run()
    assert "1 Conv2d keeps 2 of 4" in texts(app)
    assert "4 Linear (it gives the outputs, one unit for each)" in texts(app)
    assert "in place of" in texts(app)


def test_a_compressed_model_is_reported_opened_and_left_again(client):
    app = shown(client)
    original = app.session_state["state.run"]
    app.selectbox(key="compress.one.form.kind").set_value("structured").run()
    app.button(key="compress.one.start").click().run()
    assert not app.exception
    (job,) = jobs(client, CompressJob)
    table = app.dataframe[0].value
    assert list(table.columns) == ["what", "original", "compressed", "share"]
    assert {"file (safetensors)", "time, 64 at once"} <= set(table["what"])
    assert len(app.get("plotly_chart")) == 2
    app.button(key="compress.one.result.open.inspect").click().run()  # there are no other screens here to go to
    app.run()
    assert not app.exception
    made = app.session_state["state.run"]
    assert made != original
    assert client.artifact_bytes(made, FILE)
    assert "compressed model already: Structured pruning" in texts(app)
    assert "1 Conv2d keeps 1 of 2" in texts(app)
    assert job.trained().model.layers[0].out_channels == 2
    app.button(key="compress.one.back").click().run()
    assert app.session_state["state.run"] == original
    assert "1 Conv2d keeps 2 of 4" in texts(app)


def test_the_train_screen_bears_a_run_without_a_curve(client):
    job = CompressJob(experiment=DIGITS)
    run = client.submit(job)
    app = AppTest.from_function(train_page, default_timeout=60)
    app.query_params["run"] = run
    app.run()
    assert not app.exception
    assert "made smaller, not trained" in texts(app)
    assert [metric.label for metric in app.metric][1] == "Validation loss (nats)"
    assert not [button for button in app.button if button.key == "train.reset"]  # it could not make these weights again


def test_the_train_screen_says_where_the_results_of_a_sweep_stand(client):
    app = AppTest.from_function(train_page, default_timeout=60)
    app.session_state["state.run"] = client.submit(PruningSweepJob(experiment=DIGITS, sparsities=(0.0, 0.5), draws=1))
    app.run()
    assert not app.exception
    assert "its lines stand on Compress" in texts(app)


def test_a_model_that_became_slower_is_said_to_be():
    assert _time_words(11.07) == "11 times as long"
    assert _time_words(1.06) == "106% of the time"


def test_settings_outlive_a_rerun_and_a_changed_one_asks_again(client):
    app = shown(client)
    app.number_input(key="compress.one.form.magnitude.sparsity").set_value(0.9).run()
    app.button(key="compress.one.start").click().run()
    assert jobs(client, CompressJob)[-1].compression.sparsity == 0.9
    assert app.button(key="compress.one.start").disabled
    app.number_input(key="compress.one.form.magnitude.sparsity").set_value(0.8).run()
    assert not app.button(key="compress.one.start").disabled
    assert len(jobs(client, CompressJob)) == 1


def test_a_student_is_chosen_among_presets(client):
    app = shown(client)
    app.selectbox(key="compress.one.form.kind").set_value("distillation").run()
    app.number_input(key="compress.one.form.distillation.epochs").set_value(1).run()
    app.selectbox(key="compress.one.student").set_value("logistic").run()
    app.button(key="compress.one.start").click().run()
    assert not app.exception
    (job,) = jobs(client, CompressJob)
    assert [layer.kind for layer in job.student.layers] == ["Flatten", "Linear"]


def test_what_does_not_apply_is_said_and_has_no_button(client):
    app = shown(client, SENTENCES)
    assert "1 Embedding (its rows are looked up, not multiplied)" in texts(app)
    app.selectbox(key="compress.one.form.kind").set_value("structured").run()
    assert "no hidden Linear or convolution" in texts(app)
    assert not [button for button in app.button if button.key == "compress.one.start"]
    app.segmented_control(key="compress.section").set_value("sweep").run()
    assert "Without structured pruning: This stack has no hidden Linear or convolution" in texts(app)
    assert not app.button(key="compress.sweep.start").disabled  # the other methods apply
    app.pills(key="compress.sweep.methods").set_value(["structured"]).run()
    assert "no hidden Linear or convolution" in texts(app)
    assert not [button for button in app.button if button.key == "compress.sweep.start"]


def test_a_sweep_is_run_and_drawn(client):
    app = shown(client)
    app.segmented_control(key="compress.section").set_value("sweep").run()
    assert not jobs(client, PruningSweepJob)
    app.pills(key="compress.sweep.methods").set_value(["magnitude"]).run()
    app.button(key="compress.sweep.start").click().run()
    assert not app.exception
    assert jobs(client, PruningSweepJob)[0].methods == ("magnitude",)
    assert len(app.get("plotly_chart")) == 1
    assert "Magnitude: up to" in texts(app)
    app.pills(key="compress.sweep.methods").set_value([]).run()
    assert "Choose at least one method." in texts(app)


def test_words_say_what_is_won_lost_and_not_won():
    assert headline(REPORT) == (
        "The file has 50% of its former size, 64 examples at once take 25% of the time, and the accuracy is 88.0%, "
        "it was 90.0%."
    )
    assert "-5.0 to +1.0 percentage points (95 % interval): within the noise" in change_words(REPORT)
    assert "more than noise" in change_words(replace(REPORT, change=np.array([-0.1, -0.15, -0.05])))
    assert "right and wrong on the same 200" in change_words(replace(REPORT, change=np.zeros(3)))
    assert "same class in 95.0%" in agreement_words(REPORT)
    assert "Zeros alone" in honest_words(REPORT)[0]
    assert "same class as what is measured here in 100.0%" in honest_words(replace(REPORT, kind="int8_static"))[0]
    assert "accuracy stays at 90.0%" in headline(replace(REPORT, score=np.array([[0.9, 0.8, 1.0]] * 2)))


def test_numbers_have_no_classes_to_agree_on():
    nan = math.nan
    report = replace(REPORT, is_accuracy=False, agreement=nan, shown_agreement=nan, change=np.full(3, nan), kind="half")
    assert change_words(report) == ""
    assert "R² is 0.880" in headline(report)
    assert "Predicted numbers differ by 0.03" in agreement_words(report)
    assert "differs from what is measured here by 0" in honest_words(report)[0]
    assert cost_table(report)["what"][0] == "R²"


def test_tables_hold_the_numbers_of_their_results():
    rows = {row["figure"]: row for row in csv.DictReader(io.StringIO(csv_text(cost_numbers(REPORT))))}
    assert float(rows["zipped_bytes"]["compressed"]) == 1000
    assert float(rows["median_s_batch_1"]["original"]) == 2e-3
    table = sweep_table(SWEEP)
    assert table["draw"].count(1) == 3
    assert sorted(table["accuracy"]) == sorted(SWEEP.scores[~np.isnan(SWEEP.scores)].tolist())
    assert sweep_words(SWEEP)[0].startswith("Magnitude: up to 50% can go")
