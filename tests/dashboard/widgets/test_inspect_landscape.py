"""The landscape lens: cuts are chosen, what is costly is asked for, words and tables say what is seen."""

import csv
import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.events import Artifact
from core.experiment.experiment import Budget
from core.jobs import landscape_lenses
from core.jobs.landscape_lenses import LossLineJob, LossSurfaceJob
from core.jobs.plane_lenses import SharedPlaneJob
from core.jobs.training import TrainJob
from core.settings import Settings
from core.store.protocol import ArtifactRecord
from dashboard.session import resources
from dashboard.widgets import inspect_landscape as widget
from dashboard.widgets import shared_plane as ways_widget
from dashboard.widgets.landscape_words import line_table, line_words, sharpness_words, surface_table, surface_words
from tests.core.samples import spiral
from tests.dashboard.figures.test_landscape_figure import LINE, SURFACE, WAY
from tests.dashboard.inline_client import InlineClient

LANES = (*spiral("sgd", 0.1).lanes, *spiral("adam", 0.05).lanes)


def page():
    import streamlit as st

    from core.jobs.job import ArtifactRef
    from core.jobs.lenses import ExampleRef
    from dashboard.session import resources, state
    from dashboard.widgets.inspect_landscape import panel
    from dashboard.widgets.subject import Subject

    run, at = st.session_state["run"], st.session_state["at"]
    record = resources.reader().run(run)
    saved = [one for one in resources.reader().artifacts(run) if one.step == at][-1]
    weights = ArtifactRef(run=run, name=saved.name, sha256=saved.sha256)
    example = ExampleRef(index=st.session_state["example"])
    subject = Subject(state.experiment_of(record.job), weights, example, run, saved.step, st.session_state["series"])
    panel(subject, key="here")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(ways_widget, "FINE", 5)
    return fake


@pytest.fixture
def run(client) -> str:
    """A race of two lanes, with the checkpoints of shorter ones of the same experiment."""
    race = spiral(steps=12, lanes=LANES)
    run = client.submit(TrainJob(experiment=race))
    for steps in (2, 5, 9):
        other = client.submit(TrainJob(experiment=race.but(budget=Budget(epochs=None, steps=steps))))
        for saved in client.store.saved[other]:
            if saved.kind == "checkpoint" and saved.step not in {one.step for one in client.store.saved[run]}:
                data = client.shelf.read(other, saved.name, saved.sha256)
                event = client.shelf.put(run, Artifact(saved.name, "checkpoint", saved.step, data))
                row = ArtifactRecord(run, event.name, event.kind, event.step, 0, event.n_bytes, event.sha256)
                client.store.saved[run].append(row)
    return run


def shown(run: str, at: int = 12, cut: str = "plane", **chosen) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.session_state["run"], app.session_state["at"], app.session_state["series"] = run, at, 0
    app.session_state["example"] = 0
    app.session_state["here.cut"] = cut
    app.session_state["here.plane.side"] = 11
    for name, value in chosen.items():
        app.session_state[f"here.{cut}.{name}"] = value
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.caption, *app.info])


def asked(client, kind):
    return [job for job in client.jobs if isinstance(job, kind)]


def test_the_plane_around_the_weights_is_drawn_with_its_words_and_files(client, run):
    app = shown(run)
    assert [job.side for job in asked(client, LossSurfaceJob)] == [11]
    assert len(app.get("plotly_chart")) == 1
    assert "In the middle: loss" in texts(app)
    assert "accuracy" in texts(app)
    assert "at a right angle" in texts(app)
    assert "137 evaluations of at most 256 examples, about 0.1 s" in texts(app)
    assert [button.key for button in app.get("download_button")] == ["here.plane.npz", "here.plane.csv"]


def test_another_example_does_not_make_the_landscape_anew(client, run):
    app = shown(run)
    n = len(client.jobs)
    app.session_state["example"] = 7
    app.run()
    assert not app.exception
    assert len({job.key() for job in asked(client, LossSurfaceJob)}) == 1
    assert len(client.jobs) == n


def test_a_slow_plane_is_drawn_coarse_to_fine(client, run, monkeypatch):
    monkeypatch.setattr(widget, "AT_ONCE_S", 0.0)
    app = shown(run, side=41)
    assert [job.side for job in asked(client, LossSurfaceJob)] == [11, 21, 41]
    assert len(app.get("plotly_chart")) == 1
    assert not app.exception


def test_what_takes_long_is_computed_when_the_button_is_pressed_and_for_that_moment_alone(client, run, monkeypatch):
    monkeypatch.setattr(widget, "AT_ONCE_S", 0.0)
    quick = LossSurfaceJob(experiment=spiral(lanes=LANES), side=11).seconds
    monkeypatch.setattr(widget, "AUTO_S", 1.5 * quick)
    app = shown(run, side=21)
    assert [job.side for job in asked(client, LossSurfaceJob)] == [11]
    assert len(app.get("plotly_chart")) == 1
    app.button(key="here.plane.agree").click().run()
    assert [job.side for job in asked(client, LossSurfaceJob)] == [11, 21]
    assert not [button for button in app.button if button.key == "here.plane.agree"]
    app.session_state["at"] = 5
    app.run()
    assert [job.side for job in asked(client, LossSurfaceJob)] == [11, 21, 11]
    assert [button for button in app.button if button.key == "here.plane.agree"]


def test_where_even_a_coarse_plane_is_slow_it_begins_with_few_examples(client, run, monkeypatch):
    few, many = (LossSurfaceJob(experiment=spiral(lanes=LANES), n_examples=n).seconds for n in (64, 256))
    monkeypatch.setattr(widget, "AUTO_S", (few + many) / 2)
    assert shown(run).selectbox(key="here.plane.examples").value == 64
    assert [job.n_examples for job in asked(client, LossSurfaceJob)] == [64]


def test_what_is_too_expensive_says_what_fits(client, run, monkeypatch):
    submit = client.submit

    def checked(job):  # as the supervisor does
        job.check(client.settings)
        return submit(job)

    monkeypatch.setattr(client, "submit", checked)
    monkeypatch.setattr(widget, "AT_ONCE_S", 0.0)
    limit = LossSurfaceJob(experiment=spiral(lanes=LANES), side=21).seconds * 1.1
    for place in (widget, landscape_lenses):
        monkeypatch.setattr(place, "MAX_S", limit)
    app = shown(run, side=41)
    assert "Take 21 places along each side." in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_sharpness_is_held_against_a_moment_that_was_looked_at(client, run):
    app = shown(run)
    assert "Sharpness: 0.5 filter norms" in texts(app)
    assert "That is" not in texts(app)
    app.session_state["at"] = 2
    app.run()
    assert "That is" in texts(app)
    assert "after step 12 (" in texts(app)


@pytest.mark.parametrize("cut", ["plane", "ways"])
def test_a_surface_can_be_seen_in_three_dimensions(client, run, cut):
    app = shown(run, cut=cut, view="solid", scale="clipped")
    if cut == "ways":
        app.button(key="here.ways.draw").click().run()
    assert not app.exception
    assert '"surface"' in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize("along", ["random", "from_start"])
def test_a_line_is_drawn(client, run, along):
    app = shown(run, cut="line", along=along)
    assert [job.along for job in asked(client, LossLineJob)] == [along]
    assert len(app.get("plotly_chart")) == 1
    assert ("straight line from the initial weights" in texts(app)) == (along == "from_start")
    assert [button.key for button in app.get("download_button")] == ["here.line.npz", "here.line.csv"]


def test_from_the_initial_weights_to_themselves_there_is_no_line(client, run):
    app = shown(run, at=0, cut="line", along="from_start")
    assert "there is no line" in texts(app)
    assert not asked(client, LossLineJob)


def test_the_ways_of_all_lanes_or_of_one_are_drawn_when_asked_for(client, run):
    app = shown(run, cut="ways", at=5)
    assert not asked(client, SharedPlaneJob)
    app.button(key="here.ways.draw").click().run()
    assert not app.exception
    assert {job.only for job in asked(client, SharedPlaneJob)} == {None}
    assert "at step 5" in app.get("plotly_chart")[0].proto.spec
    app.selectbox(key="here.ways.lanes").set_value("one").run()
    assert not app.exception
    assert {job.only for job in asked(client, SharedPlaneJob)} == {None, 0}
    assert len(app.get("plotly_chart")) == 1


def test_words_judge_only_what_differs():
    assert "That is" not in sharpness_words(SURFACE, {SURFACE.step: 1.0})
    for rise, word in ((SURFACE.rise * 2, "flatter than after step 3"), (SURFACE.rise / 2, "sharper than after step 3")):
        assert word in sharpness_words(SURFACE, {SURFACE.step: SURFACE.rise, 3: rise, 900: 5.0})
    assert "about as sharp as before training" in sharpness_words(SURFACE, {0: SURFACE.rise * 1.05})


def test_words_say_what_is_not_moved_and_what_is_recomputed():
    assert "at a right angle" in " ".join(surface_words(SURFACE))
    assert "Biases" in " ".join(surface_words(SURFACE))
    assert "Batch normalisation" in " ".join(surface_words(SURFACE))
    assert "Batch normalisation" not in line_words(LINE)
    assert "hill" in line_words(WAY)


def test_tables_have_a_row_per_place():
    rows = list(csv.DictReader(io.StringIO(surface_table(SURFACE))))
    assert len(rows) == 9
    assert (float(rows[1]["direction_1"]), float(rows[1]["direction_2"])) == (0.0, -1.0)
    assert float(rows[5]["loss"]) == SURFACE.loss[1, 2]
    assert float(rows[5]["accuracy"]) == SURFACE.score[1, 2]
    rows = list(csv.DictReader(io.StringIO(line_table(LINE))))
    np.testing.assert_allclose([float(row["validation_loss"]) for row in rows], LINE.validation_loss)
    assert "train_r2" in rows[0]
