"""Export > Model, Report and bundle, Import: what a visitor is offered, and what comes of it."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from core.data.own.keep import store_upload
from core.errors import NotApplicable
from core.events import Artifact, Noticed
from core.experiment.experiment import Budget
from core.jobs import bundle_jobs, export_jobs
from core.jobs.bundle_jobs import BundleJob
from core.jobs.evaluation_lenses import EvaluateJob
from core.jobs.imported_run import ImportedRunJob
from core.jobs.inline import run_inline
from core.jobs.run_log import read
from core.jobs.training import TrainJob
from core.settings import Settings
from dashboard.session import resources
from tests.core.samples import spiral
from tests.dashboard.inline_client import InlineClient

EXPERIMENT = spiral(budget=Budget(epochs=2))


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    for module in (export_jobs, bundle_jobs):  # jobs read the log where the page reads it
        monkeypatch.setattr(module, "recorded", lambda run, last_seq, settings: read(fake.store, run, last_seq))
    return fake


def screen():
    from dashboard.screens import export
    from dashboard.session import state

    state.load_link()
    export.render()


def shown(client, section: str, *, trained: bool = True) -> AppTest:
    app = AppTest.from_function(screen, default_timeout=120)
    if trained:
        app.query_params["run"] = client.submit(TrainJob(experiment=EXPERIMENT), name="My <net>")
    app.session_state["export.section"] = section
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def downloads(app) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def test_weights_of_a_small_model_are_ready_at_once_and_checked(client):
    app = shown(client, "model")
    assert "Read again as safetensors: 4 tensors, equal bit for bit." in texts(app)
    assert [label.split(",")[0] for label in downloads(app)] == [
        "Download weights-step-20.safetensors",
        "Download weights-step-20.pt",
    ]


def test_onnx_is_written_when_it_is_asked_for_and_says_how_near_it_is(client):
    app = shown(client, "model")
    app.button(key="export.model.onnx.prepare").click().run()
    assert not app.exception
    assert "ONNX opset 20." in texts(app)
    assert any("model-step-20.onnx" in label for label in downloads(app))


def test_without_a_run_the_initial_weights_can_be_had_and_no_report(client):
    assert "Download weights-step-0.safetensors" in downloads(shown(client, "model", trained=False))[0]
    app = shown(client, "report", trained=False)
    assert "There is no run yet to report on" in texts(app)


def test_a_report_is_prepared_once_and_goes_into_the_bundle(client, monkeypatch):
    for part in ("_onnx", "_script"):  # told elsewhere, and slow
        monkeypatch.setattr(BundleJob, part, lambda self, desk, known, trained: {})
    app = shown(client, "report")
    app.button(key="export.report.report.prepare").click().run()
    assert "Download report.html" in downloads(app)
    app.button(key="export.report.bundle.with_report").click().run()
    app.button(key="export.report.bundle.prepare").click().run()
    assert not app.exception
    run = app.session_state["lens.asked.export.report.bundle"][1]
    with zipfile.ZipFile(io.BytesIO(client.artifact_bytes(run, "bundle.zip"))) as archive:
        report = archive.read("report.html").decode()
    assert "<h1>My &lt;net&gt;</h1>" in report
    assert report.count('class="chart"') == 6  # two of curves, confusion, three explanations


def test_a_run_whose_figures_cannot_be_computed_has_a_report_all_the_same(client, monkeypatch):
    def refuse(job, desk):
        raise NotApplicable("These answers are no numbers.", hint="Train anew.")

    monkeypatch.setattr(EvaluateJob, "result", refuse)
    app = shown(client, "report")
    app.button(key="export.report.report.prepare").click().run()
    assert not app.exception
    assert "Download report.html" in downloads(app)


def test_card_and_event_files_come_from_the_run(client):
    app = shown(client, "report")
    app.button(key="export.report.model_card.prepare").click().run()
    app.button(key="export.report.events.prepare").click().run()
    assert not app.exception
    assert "One event file: every step with its loss" in texts(app)
    run = app.session_state["lens.asked.export.report.model_card"][1]
    assert client.artifact_bytes(run, "model_card.md").startswith(b"# My \\<net\\>\n")


def test_a_run_that_goes_on_is_held_until_the_visitor_wants_it_newer(client):
    app = shown(client, "report")
    run = app.session_state["state.run"]
    client.put(run, Noticed("info", "x", "y"), state="running")
    app.run()
    assert "as it was after step 20" in texts(app)
    app.button(key="export.report.events.prepare").click().run()
    client.put(run, Noticed("info", "x", "y"))
    app.run()
    assert "One event file" in texts(app)
    app.button(key="export.report.now").click().run()
    assert "One event file" not in texts(app)
    assert not app.exception


def test_a_bundle_is_looked_at_imported_and_opened(client, monkeypatch):
    for part in ("_onnx", "_script"):
        monkeypatch.setattr(BundleJob, part, lambda self, desk, known, trained: {})
    app = shown(client, "import")
    source = app.session_state["state.run"]
    job = BundleJob(experiment=EXPERIMENT, run=source, last_seq=client.store.records[source].last_seq)
    items = list(run_inline(job, client.settings, shelf=client.shelf))
    data = next(item.data for item in items if isinstance(item, Artifact) and item.name == "bundle.zip")
    app.session_state["export.import.kept"] = (store_upload(data, "b.zip", client.settings), "b.zip")
    app.run()
    assert "20 steps, 2 epochs" in texts(app)
    app.button(key="export.import.take").click().run()
    assert not app.exception
    assert isinstance(client.jobs[-1], ImportedRunJob)
    here = app.session_state["state.run"]
    assert here != source
    events = [[one.event for one in client.store.logs[run]] for run in (source, here)]
    assert events[0] == events[1]
    assert client.store.records[here].name == "My <net>"
