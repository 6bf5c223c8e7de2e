"""The doctor's cards: newest first, one for all seeds of a lane, each with a button that does what it says."""

import pytest
from streamlit.testing.v1 import AppTest

from core.events import Diagnosed, HyperChanged, Noticed, SetHyper, line
from core.jobs.training import TrainJob
from core.settings import Settings
from dashboard.session import resources
from dashboard.widgets.doctor import grouped
from tests.core.samples import spiral
from tests.dashboard.inline_client import InlineClient

HALF = line(SetHyper(0, "lr", 0.005))
OTHER = spiral(lr=0.5)


def told(step: int = 10, series: int = 0, code: str = "plateau", severity: str = "info", **more: str) -> Diagnosed:
    return Diagnosed(step, series, code, severity, f"Words of {code} at {step}.", "Do that.", **more)


def page():
    import streamlit as st

    from dashboard.session import resources
    from dashboard.widgets.doctor import doctor

    doctor(resources.reader().run(st.session_state["run"]), key="here")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def shown(client, *events, state: str = "running", **changes) -> AppTest:
    run = client.submit(TrainJob(experiment=spiral(steps=1, **changes)))
    log = client.store.logs[run]
    client.store.logs[run] = [logged for logged in log if not isinstance(logged.event, Diagnosed)]
    for event in events:
        client.put(run, event, state=state)
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["run"] = run
    app.run()
    assert not app.exception
    return app


def texts(app) -> list[str]:
    return [element.value for element in app.text]


@pytest.mark.parametrize("state", ["queued", "starting"])
def test_a_run_that_waits_has_not_been_looked_at(client, state):
    app = shown(client, Noticed("info", "note", "It waits.", ""), state=state)
    assert [caption.value.split(": ")[1] for caption in app.caption] == ["The training doctor looks at it once it trains."]


def test_a_healthy_run_is_told_so_calmly(client):
    app = shown(client)
    assert any("Nothing to worry about so far" in caption.value for caption in app.caption)
    assert not app.button


def test_findings_are_shown_newest_first_with_message_and_hint(client):
    app = shown(client, told(10), told(20, code="dead-units", severity="warning"))
    words = texts(app)
    assert words.index("Words of dead-units at 20.") < words.index("Words of plateau at 10.")
    assert "Do that." in words
    assert "step 20" in words


def test_seeds_of_a_lane_share_one_card(client):
    lanes = (*spiral().lanes, *spiral(lr=0.02).lanes)
    app = shown(client, told(10, 0), told(12, 1), told(14, 3), repeats=2, lanes=lanes)
    assert "Adam, lr 0.01 · 2 of 2 seeds · step 12" in texts(app)
    assert "Adam, lr 0.02 · 1 of 2 seeds · step 14" in texts(app)


def test_a_command_goes_to_the_run(client):
    app = shown(client, told(action="Set it", command=HALF))
    app.button(key="here.plateau.0.act").click().run()
    assert client.commands == [(app.session_state["run"], SetHyper(0, "lr", 0.005))]


def test_a_run_that_has_ended_takes_no_command(client):
    app = shown(client, told(action="Set it", command=HALF), state="finished")
    assert app.button(key="here.plateau.0.act").disabled


def test_a_changed_experiment_is_taken_in_hand(client):
    app = shown(client, told(action="Change it", experiment=OTHER.model_dump_json()), state="finished")
    app.button(key="here.plateau.0.act").click().run()
    assert not app.exception
    assert '"lr":0.5' in app.session_state["state.experiment"].replace(" ", "")


def test_the_whole_page_runs_again_for_a_remedy_not_only_the_fragment(client, monkeypatch):
    asked = []
    monkeypatch.setattr("dashboard.widgets.doctor.st.rerun", lambda: asked.append("page"))
    app = shown(client, told(action="Change it", experiment=OTHER.model_dump_json()))
    assert not asked
    app.button(key="here.plateau.0.act").click().run()
    assert asked == ["page"]


def test_a_finding_without_a_remedy_has_no_button(client):
    assert not shown(client, told()).button


def test_what_was_found_before_a_change_by_hand_is_folded_away(client):
    app = shown(client, told(10), HyperChanged(15, 0, "lr", 0.01, 0.005))
    assert app.expander[0].label == "1 earlier finding"
    assert any("Nothing to worry about" in caption.value for caption in app.caption)


def test_grouping_keeps_the_newest_of_each_code_and_lane():
    groups = grouped([told(1), told(2, 1), told(3, 2), told(4, 0, "dead-units"), told(5, 0)], {1: 3}, 2)
    assert [(one.newest.step, one.lane, one.n_series, one.is_past) for one in groups] == [
        (5, 0, 2, False),
        (4, 0, 1, False),
        (3, 1, 1, True),
    ]
