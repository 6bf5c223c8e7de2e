"""Every screen, by AppTest: what it shows, and what its controls do."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data.toy import Circle
from core.errors import SpecError, StoreError
from core.events import HyperChanged, Pause, Resume, SetHyper, Stop
from core.experiment.check import findings
from core.experiment.codec import file_text, from_link_text, link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget
from core.jobs.lenses import ActivationsJob
from core.jobs.training import TrainJob
from core.settings import Settings
from dashboard.session import resources
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient

APP = str(Path(__file__).resolve().parents[3] / "dashboard" / "app.py")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def opened(experiment=None, run=None):
    app = AppTest.from_file(APP, default_timeout=60)
    if experiment is not None:
        app.query_params["x"] = link_text(experiment)
    if run is not None:
        app.query_params["run"] = run
    return app.run()


def short(name="digits", **changes):
    return default_experiment(name).but(budget=Budget(epochs=1), **changes)


def texts(app):
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info, *app.warning])


def present(app):
    return from_link_text(parameter(app, "x"))


def parameter(app, name):
    """A parameter of the link; AppTest gives lists for what the test set and texts for what the script set."""
    value = app.query_params[name]
    return value[0] if isinstance(value, list) else value


def trained(client, experiment, **columns):
    """The id of a run of this experiment, with other columns of its row where given."""
    run = client.submit(TrainJob(experiment=experiment))
    client.store.records[run] = replace(client.store.records[run], **columns)
    return run


def test_the_page_opens_on_a_ready_experiment_with_one_button_that_starts_it(client):
    app = opened()
    assert not app.exception
    assert "Spiral" in texts(app)
    assert not app.button(key="header.train").disabled
    assert component_data(app, "train.curves")["run"] is None
    assert len(component_data(app, "train.boundary")["x"]) == 750


def test_train_submits_the_experiment_and_shows_its_run(client):
    app = opened(short("spiral"))
    app.button(key="header.train").click().run()
    assert not app.exception
    run = parameter(app, "run")
    assert client.jobs[0].experiment == short("spiral")
    assert component_data(app, "train.curves")["run"] == run
    assert app.button(key="train.pause").disabled
    assert app.button(key="train.stop").disabled


def test_controls_send_their_commands(client):
    run = trained(client, short(), state="running")
    app = opened(run=run)
    app.button(key="train.pause").click().run()
    client.store.records[run] = replace(client.store.records[run], state="paused")
    app.run()
    app.select_slider(key="train.learning_rate.0").set_value(0.02).run()
    app.button(key="train.resume").click().run()
    app.button(key="train.stop").click().run()
    assert not app.exception
    assert client.commands == [(run, Pause()), (run, SetHyper(0, "lr", 0.02)), (run, Resume()), (run, Stop())]
    assert app.select_slider(key="train.learning_rate.0").value == 0.02


def test_the_learning_rate_shown_is_the_one_that_holds(client):
    run = trained(client, short())
    client.put(run, HyperChanged(5, 0, "lr", 0.003, 0.05), state="running")
    assert opened(run=run).select_slider(key="train.learning_rate.0").value == 0.05


@pytest.mark.parametrize("link", ["../../etc", "x" * 50, "' OR 1=1"])
def test_an_unknown_run_is_said_and_the_page_still_works(client, link):
    app = opened(run=link)
    assert not app.exception
    assert "not here" in texts(app)
    assert component_data(app, "train.curves")["run"] is None


@pytest.mark.parametrize("link", ["lw1.AAAA", "hello", "lw9." + "A" * 100])
def test_a_bad_link_is_said_and_the_page_opens_on_the_ready_experiment(client, link):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["x"] = link
    app.run()
    assert not app.exception
    assert "link" in texts(app)
    assert present(app) == default_experiment()


def build(client, experiment=None):
    """The Build screen alone, on an experiment."""

    def script():
        from dashboard.screens import build
        from dashboard.session import state

        state.load_link()
        build.render()
        state.write_link()

    app = AppTest.from_function(script, default_timeout=60)
    if experiment is not None:
        app.query_params["x"] = link_text(experiment)
    return app.run()


def test_build_shows_the_stack_and_follows_its_edits(client):
    app = build(client, short())
    data = component_data(app, "build.stack")
    assert [row["kind"] for row in data["rows"]] == [layer.kind for layer in short().model.layers]
    layers = [{"kind": row["kind"], "params": row["params"]} for row in data["rows"] if row["kind"] != "Flatten"]
    fire(app, "build.stack", "edit", {"layers": layers, "seq": 1})
    assert not app.exception
    broken = next(row for row in component_data(app, "build.stack")["rows"] if row.get("problem"))
    assert broken["kind"] == "Linear"
    assert "32 × 2 × 2" in broken["problem"]
    place = [row["kind"] for row in component_data(app, "build.stack")["rows"]].index("Linear")
    fire(app, "build.stack", "fix", {"path": [place], "code": broken["code"], "seq": 2})
    assert [layer.kind for layer in present(app).model.layers] == [layer.kind for layer in short().model.layers]


@pytest.mark.parametrize(
    "evil", [None, 5, [1], {"layers": 3}, {"layers": [{"kind": "os.system"}], "seq": 1}, {"layers": [[]] * 999, "seq": 1}]
)
def test_what_the_builder_sends_is_not_trusted(client, evil):
    app = build(client, short())
    fire(app, "build.stack", "edit", evil)
    assert not app.exception
    assert present(app).model == short().model


def test_build_forms_change_the_experiment(client):
    app = build(client, short())
    app.selectbox(key="build.optimizer.kind").set_value("sgd").run()
    app.number_input(key="build.optimizer.sgd.lr").set_value(0.25).run()
    app.number_input(key="build.training.batch_size").set_value(64).run()
    app.number_input(key="build.training.epochs").set_value(7).run()
    app.selectbox(key="build.data.kind").set_value("rendered_digits").run()
    assert not app.exception
    changed = present(app)
    assert (changed.lanes[0].optimizer.kind, changed.lanes[0].optimizer.lr) == ("sgd", 0.25)
    assert (changed.batch_size, changed.budget.epochs, changed.data.kind) == (64, 7, "rendered_digits")


def lens(client, screen, experiment=None, run=None):
    """The Inspect or Explain screen alone."""

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

    app = AppTest.from_function({"inspect": inspect, "explain": explain}[screen], default_timeout=120)
    if experiment is not None:
        app.query_params["x"] = link_text(experiment)
    if run is not None:
        app.query_params["run"] = run
    return app.run()


def test_inspect_shows_a_chart_for_every_layer_of_the_newest_weights(client):
    run = trained(client, short())
    app = lens(client, "inspect", run=run)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1 + len(short().model.layers)
    assert "Weights after step 40" in texts(app)


def test_inspect_without_a_run_says_that_the_weights_are_untrained(client):
    app = lens(client, "inspect", experiment=short())
    assert not app.exception
    assert "untrained" in texts(app)
    assert "Initial weights" in texts(app)


def test_another_example_asks_for_other_maps(client):
    app = lens(client, "inspect", run=trained(client, short()))
    before = client.jobs[-1]
    fire(app, "inspect.image", "pick", 7)
    assert not app.exception
    assert client.jobs[-1].example.index != before.example.index
    n = len(client.jobs)
    app.run()
    assert len(client.jobs) == n


def test_explain_shows_the_image_methods_with_their_figures_of_trust(client):
    app = lens(client, "explain", run=trained(client, short()))
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1 + 4  # the picture, and the usual methods
    words = texts(app)
    for word in ("base value", "additivity residual", "R² of the fit", "seed 0"):
        assert word in words


def test_explain_shows_bars_for_a_table(client):
    app = lens(client, "explain", run=trained(client, short("cancer")))
    assert not app.exception
    kinds = {job.explainer.kind for job in client.jobs if job.kind == "explain"}
    assert {"shap_tabular", "lime_tabular"} <= kinds
    assert len(app.get("plotly_chart")) == len(kinds)
    assert "applies" in texts(app) or "images" in texts(app)


def test_a_failed_look_is_said_in_words_and_can_be_asked_again(client, monkeypatch):
    def fail(self, desk):
        raise SpecError("No such thing.", hint="Take another.")

    run = trained(client, short())
    with monkeypatch.context() as broken:
        broken.setattr(ActivationsJob, "result", fail)
        app = lens(client, "inspect", run=run)
        assert "No such thing." in texts(app)
    app.button(key="inspect.activations.maps.again").click().run()
    assert len(app.get("plotly_chart")) == 1 + len(short().model.layers)


def test_an_experiment_file_is_opened_and_a_broken_one_changes_nothing(client):
    app = opened(short("cancer"))
    app.file_uploader(key="share.upload").upload("e.json", file_text(short()).encode(), "application/json").run()
    assert not app.exception
    assert present(app) == short()
    app.file_uploader(key="share.upload").upload("e.json", b'{"version": 9}', "application/json").run()
    assert present(app) == short()
    assert "version" in texts(app)


def test_a_damaged_result_and_a_broken_store_are_said_in_words(client, monkeypatch):
    run = trained(client, short())
    with monkeypatch.context() as broken:
        broken.setattr(client, "artifact_bytes", lambda run, name: b"broken")
        app = lens(client, "inspect", run=run)
        assert not app.exception
        assert "damaged" in texts(app)

    def fail(run):
        raise StoreError("The database is locked.", hint="Wait a little.")

    monkeypatch.setattr(client.store, "run", fail)
    app = opened(run=run)
    assert not app.exception
    assert "The database is locked." in texts(app)


def test_a_chosen_moment_belongs_to_its_run(client):
    first, second = trained(client, short()), trained(client, short())
    app = lens(client, "inspect", run=first)
    fire(app, "inspect.moment", "moment", {"seq": 1, "step": 0, "run": first})
    assert "Initial weights" in texts(app)
    app.session_state["state.run"] = second
    app.run()
    assert "Weights after step 40" in texts(app)


def test_a_result_that_was_forgotten_meanwhile_is_asked_for_again(client):
    app = lens(client, "inspect", run=trained(client, short()))
    n = len(client.jobs)
    for run in [run for run, record in client.store.records.items() if record.kind == "activations"]:
        del client.store.records[run]
    app.run()
    assert not app.exception
    assert len(client.jobs) == n + 1
    assert len(app.get("plotly_chart")) == 1 + len(short().model.layers)


def test_a_number_box_that_is_emptied_keeps_the_present_value(client):
    app = build(client, short())
    for key in ("build.optimizer.adam.lr", "build.training.batch_size", "build.training.epochs"):
        app.number_input(key=key).set_value(None).run()
        assert not app.exception
    assert present(app) == short()
    assert app.number_input(key="build.optimizer.adam.lr").value == 0.003
    assert app.number_input(key="build.optimizer.adam.lr").min == 1e-7


def test_a_stack_made_for_other_data_has_one_button_out(client):
    app = build(client, short())
    app.selectbox(key="build.data.kind").set_value("circle").run()
    app.button(key="build.way_out").click().run()
    assert not app.exception
    assert findings(present(app)) == ()
    assert present(app).data.kind == "circle"


def test_train_says_why_it_cannot(client):
    app = opened(default_experiment("digits").but(data=Circle()))
    assert app.button(key="header.train").disabled
    assert "cannot be trained yet: Layer 1 Conv2d needs" in texts(app)


def test_the_choices_on_explain_outlive_another_split(client):
    app = lens(client, "explain", run=trained(client, short()))
    app.number_input(key="explain.seed").set_value(7).run()
    app.selectbox(key="explain.split").set_value("train").run()
    assert not app.exception
    assert app.number_input(key="explain.seed").value == 7
