"""The projector's view: few controls, keys that do what they say, and figures that are larger and nothing else."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from core.events import Pause, Resume
from core.experiment.codec import link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget
from core.jobs.training import TrainJob
from dashboard.figures import theme
from dashboard.figures.enlarged import SCALE, enlarged
from tests.dashboard.apptest_helpers import component, component_data, fire
from tests.dashboard.screens.test_screens import APP

SHORT = default_experiment("spiral").but(budget=Budget(epochs=2))
KEYS = "projector.keys"


def projected(run="", hide=""):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["view"] = "projector"
    app.query_params["x"] = link_text(SHORT)
    for name, text in (("run", run), ("hide", hide)):
        if text:
            app.query_params[name] = text
    app.run()
    assert not app.exception
    return app


def press(app, key):
    fire(app, KEYS, "press", key)
    assert not app.exception
    return app


def keys_of(app):
    return [one["key"] for one in component_data(app, KEYS)["keys"]]


def test_the_view_has_few_controls_and_goes_back_as_it_came(client):
    app = projected()
    present = {button.key for button in app.button}
    assert "header.train" in present
    assert not {"header.undo", "train.step", "train.reset", "share.lesson"} & present
    assert component_data(app, "train.curves")["bare"] is True
    app.button(key="header.projector").click().run()
    assert "view" not in app.query_params
    assert {"header.undo", "train.step", "train.reset"} <= {button.key for button in app.button}
    with pytest.raises(StopIteration):
        component(app, KEYS)


def test_space_pauses_and_goes_on_and_does_nothing_where_the_lesson_hides_it(client):
    run = client.submit(TrainJob(experiment=SHORT))
    client.store.records[run] = _as(client, run, "running")
    app = press(projected(run), " ")
    client.store.records[run] = _as(client, run, "paused")
    press(app, " ")
    client.store.records[run] = _as(client, run, "finished")
    press(app, " ")
    assert client.commands == [(run, Pause()), (run, Resume())]
    hidden = projected(run, hide="run.pause")
    assert " " not in keys_of(hidden)
    press(hidden, " ")
    assert len(client.commands) == 2


def test_t_trains_and_n_and_b_turn_the_screens_that_are_shown(client):
    app = press(projected(hide="race"), "t")
    assert [job.experiment for job in client.jobs] == [SHORT]
    press(app, "b")
    assert "does not show" not in str(app.info)
    assert component(app, "build.stack"), "Build stands before Train"
    press(app, "n")
    press(app, "n")
    assert app.button_group(key="inspect.lens"), "Race is hidden, so Inspect comes next"


def test_arrows_travel_through_the_kept_moments_and_stop_at_both_ends(client):
    run = client.submit(TrainJob(experiment=SHORT))
    steps = sorted({saved.step for saved in client.store.saved[run] if saved.kind == "checkpoint"})
    assert len(steps) > 2
    app = projected(run)

    def moment():
        kept = app.session_state.get("subject.moment")
        return kept[1] if kept else None

    seen = []
    for _ in steps:
        press(app, "arrowleft")
        seen.append(moment())
    assert seen == [*reversed(steps[:-1]), steps[0]]
    press(app, "arrowright")
    assert moment() == steps[1]
    press(app, "end")
    assert moment() is None


def test_what_is_no_key_does_nothing(client):
    run = client.submit(TrainJob(experiment=SHORT))
    client.store.records[run] = _as(client, run, "running")
    app = projected(run)
    for sent in ("x", "", None, 7, {"key": " "}, [" "]):
        press(app, sent)
    assert client.commands == []


def _as(client, run, state):
    return replace(client.store.records[run], state=state)


@pytest.mark.parametrize("dark", [False, True])
def test_a_figure_for_a_room_is_larger_and_clearer_and_has_the_same_numbers(dark):
    small = go.Figure(
        [go.Scatter(x=[1, 2], y=[0.1, 0.9], line={"width": 2, "color": "#0072B2"}, marker={"size": 6})],
        {
            "template": theme.template(dark),
            "height": 400,
            "margin": {"t": 40},
            "xaxis": {"title": {"text": "step"}, "range": [0, 3]},
        },
    )
    large = enlarged(small)
    assert np.array_equal(large.data[0].y, small.data[0].y)
    assert large.layout.xaxis.range == small.layout.xaxis.range
    assert large.layout.xaxis.title.text == "step"
    assert large.data[0].line.color == "#0072B2"
    assert (large.data[0].line.width, large.data[0].marker.size) == (2 * SCALE, 6 * SCALE)
    before, after = small.layout.template.layout, large.layout.template.layout
    assert after.font.size == before.font.size * SCALE
    assert after.xaxis.tickfont.size == before.xaxis.tickfont.size * SCALE
    assert after.xaxis.tickfont.color == theme.ink(dark)
    assert small.layout.template.layout.xaxis.tickfont.color == theme.quiet_ink(dark), "the figure itself stays as it was"
