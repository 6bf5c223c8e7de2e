"""Export, training script: its text and files are there at once, and a press of a button proves it."""

import io
import zipfile

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.experiment.codec import link_text
from core.export.script import training_script
from core.jobs.script_job import ScriptFilesJob, ScriptJob, ScriptRunJob
from core.jobs.training import TrainJob
from core.results.script import compared
from dashboard.figures.script_curves import MAX_POINTS, script_curves
from dashboard.widgets import export_script
from dashboard.widgets.export_script_proof import alone_words, proof_words
from tests.core.export.script_cases import cnn
from tests.core.samples import spiral


def page():
    from core.jobs.lenses import ExampleRef
    from dashboard.session import run_now, state
    from dashboard.widgets.export_script import panel
    from dashboard.widgets.subject import Subject

    state.load_link()
    record = state.run()
    experiment = run_now.experiment_now(record) if record else state.experiment()
    panel(Subject(experiment, None, ExampleRef(), record.id if record else None), key="here")


def shown(experiment, run=None) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.query_params["x"] = link_text(experiment)
    if run:
        app.query_params["run"] = run
    app.run()
    assert not app.exception
    return app


def words(app) -> str:
    return " ".join(one.value for one in [*app.text, *app.caption, *app.info, *app.warning, *app.success])


def test_without_a_run_the_script_is_there_and_says_what_would_prove_it(client):
    app = shown(spiral())
    assert app.code[0].value == training_script(spiral()).text.rstrip("\n")
    assert "within 1e-6" in words(app)
    assert "Once there is a run" in words(app)
    assert [type(job) for job in client.jobs] == [ScriptJob, ScriptFilesJob]
    run = list(client.store.records)[-1]
    with zipfile.ZipFile(io.BytesIO(client.artifact_bytes(run, "training-script.zip"))) as archive:
        assert "data.npz" in archive.namelist()


def test_a_press_of_a_button_proves_it(client):
    run = client.submit(TrainJob(experiment=cnn()))
    app = shown(cnn(), run)
    assert not any(isinstance(job, ScriptRunJob) for job in client.jobs)
    app.button(key="here.proof.run").click().run()
    assert not app.exception
    assert "Proven: all 12 losses of the script and of the run are equal, bit for bit." in words(app)
    assert len(app.get("plotly_chart")) == 1
    assert sum(isinstance(job, ScriptRunJob) for job in client.jobs) == 1


def test_a_run_that_was_stopped_is_repeated_up_to_there(client):
    client.finish = False
    run = client.submit(TrainJob(experiment=cnn()))
    client.finish = True
    step = client.store.records[run].last_step
    assert 0 < step < 12
    app = shown(cnn(), run)
    assert f"steps = {step}  # here the run ended" in app.code[0].value


def test_many_examples_are_packed_when_they_are_asked_for(client, monkeypatch):
    monkeypatch.setattr(export_script, "AT_ONCE", 10)
    app = shown(spiral())
    assert [job.kind for job in client.jobs] == ["script"]
    app.button(key="here.pack").click().run()
    assert client.jobs[-1].kind == "script_files"
    assert not app.exception


def test_words_say_how_near_the_curves_are():
    run, script = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0000001, 3.5])
    assert proof_words(compared(run, script)) == (
        "The first 2 of 3 losses agree within 1e-06. The largest difference is 0.17, in step 3."
    )
    assert proof_words(compared(run, script[:2])).startswith("The run has 3 losses, the script 2. All 2 losses agree")
    assert "bit for bit: what is left is rounding" in alone_words(compared(run, run))
    assert "by at most 0.17" in alone_words(compared(run, script))


@pytest.mark.parametrize("n", [1, 50, MAX_POINTS * 3 + 1])
def test_the_chart_draws_both_curves_to_their_ends_and_their_difference(n):
    run = np.linspace(2, 1, n)
    same, other = (script_curves(run, losses, unit="nats", dark=False) for losses in (run, run + 1e-7))
    assert [trace.name for trace in same.data] == ["run", "script"]
    assert [trace.name for trace in other.data] == ["run", "script", "difference"]
    assert same.data[0].x[-1] == n
    assert same.data[0].y[-1] == run[-1]
    assert len(same.data[0].x) <= MAX_POINTS + 1
    assert np.allclose(other.data[2].y, 1e-7)
    assert other.layout.yaxis2.type == "log"


def test_the_chart_of_a_run_that_diverged_is_drawn_too():
    run, script = np.array([1.0, np.inf, np.nan]), np.array([1.5, np.inf])
    figure = script_curves(run, script, unit="nats", dark=True)
    assert list(figure.data[2].x) == [1]
    assert list(figure.data[2].y) == [0.5]
