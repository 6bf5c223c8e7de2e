"""The run of somebody else, by AppTest: all is shown, nothing can be changed, and two buttons lead to an own run."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.events import PhaseDone, Stop, TensorView
from core.experiment.codec import from_link_text, link_text
from core.experiment.examples import default_experiment
from core.jobs.training import TrainJob
from dashboard.session import visitor
from dashboard.session.visitor import Visitor, space_of

ANNA, BEN = space_of("anna"), space_of("ben")
EXPERIMENT = default_experiment("race")
WORDS = "This run belongs to somebody else: you are watching."
KINDS = ("button", "select_slider", "number_input", "segmented_control", "selectbox", "slider")
OWN = {"watching.fork", "watching.train"}
HARMLESS = ("doctor", "fork", "verdict", "setup", "race.rates", "race.lanes", "race.training", "race.preset", "race.seeds")


@pytest.fixture
def who(monkeypatch):
    """Become another visitor."""

    def become(owner: str, *, is_host: bool = False) -> None:
        monkeypatch.setattr(visitor, "visitor", lambda: Visitor(owner, is_host, is_host))

    become(BEN)
    return become


@pytest.fixture
def annas(client):
    record = replace(client.record(TrainJob(experiment=EXPERIMENT), "a" * 32, ANNA), state="running")
    client.store.records[record.id], client.store.logs[record.id], client.store.saved[record.id] = record, [], []
    return record.id


@pytest.fixture
def own(client, monkeypatch) -> str:
    """The id that the next run gets: it is queued, and trained by nobody."""
    run = "b" * 32

    def submit(job) -> str:
        client.jobs.append(job)
        client.store.records[run] = replace(client.record(job, run, BEN), state="queued")
        client.store.logs[run], client.store.saved[run] = [], []
        return run

    monkeypatch.setattr(client, "submit", submit)
    return run


def screen(name: str, run: str) -> AppTest:
    def race():
        from dashboard.screens import race
        from dashboard.session import state

        state.load_link()
        race.render()
        state.write_link()

    def train():
        from dashboard.screens import train
        from dashboard.session import state

        state.load_link()
        train.render()
        state.write_link()

    app = AppTest.from_function({"race": race, "train": train}[name], default_timeout=60)
    app.query_params["run"] = run
    app.query_params["x"] = link_text(EXPERIMENT)
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> list[str]:
    return [one.value for one in [*app.text, *app.caption]]


def controls(app: AppTest, screen: str) -> set[str]:
    """The keys of all controls over the run."""
    keys = {one.key for kind in KINDS for one in app.get(kind) if one.key and not one.disabled}
    return {key.removeprefix(f"{screen}.") for key in keys if not any(word in key for word in HARMLESS)} | {
        key.removeprefix(f"{screen}.") for key in keys if "watching" in key
    }


@pytest.mark.parametrize("name", ["train", "race"])
@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_a_strangers_run_has_no_control_but_the_two_that_make_an_own_one(client, annas, who, name, state) -> None:
    client.store.records[annas] = replace(client.store.records[annas], state=state)
    app = screen(name, annas)
    assert WORDS in texts(app)
    assert controls(app, name) == OWN
    assert app.get("bidi_component")  # the curves are there
    assert not [one for one in app.expander if one.label in ("Change the run", "Change the race")]


@pytest.mark.parametrize("name", ["train", "race"])
@pytest.mark.parametrize(("owner", "is_host"), [(ANNA, False), (BEN, True)])
def test_its_owner_and_the_host_have_all_controls(client, annas, who, name, owner, is_host) -> None:
    who(owner, is_host=is_host)
    app = screen(name, annas)
    assert WORDS not in texts(app)
    assert {"pause", "stop", "step", "reset", "speed", "unit"} <= controls(app, name)
    app.button(key=f"{name}.stop").click().run()
    assert client.commands == [(annas, Stop())]


def test_a_run_of_nobody_is_everybodys(client, annas, who) -> None:
    client.store.records[annas] = replace(client.store.records[annas], owner="")
    assert "stop" in controls(screen("train", annas), "train")


def test_phases_that_the_owner_looks_at_are_shown_and_none_is_asked_for(client, annas, who) -> None:
    view = TensorView("x", (2,), 1.0, 2.0, 1.5, 2.2, np.float32([1.0, 2.0]).tobytes())
    client.put(annas, PhaseDone(1, "forward", "The batch went through.", (view,)))
    app = screen("train", annas)
    assert any("four phases" in one.value for one in app.subheader)
    assert not any("press Step" in one.value for one in app.caption)


def test_train_it_yourself_makes_an_own_run_of_the_same_experiment(client, annas, who, own) -> None:
    app = screen("train", annas)
    app.button(key="train.watching.train").click().run()
    assert not app.exception
    assert [job.trained() for job in client.jobs] == [EXPERIMENT]
    assert app.session_state["state.run"] == own
    assert not client.commands  # Anna's goes on
    value = app.query_params["x"]
    assert from_link_text(value[0] if isinstance(value, list) else value) == EXPERIMENT


def test_fork_it_opens_the_form(client, annas, who) -> None:
    app = screen("train", annas)
    app.button(key="train.watching.fork").click().run()
    assert not app.exception
    assert any("has kept no checkpoint" in one.value for one in app.info)


def test_a_reset_that_comes_from_an_older_page_stops_nothing(client, annas, who, own, monkeypatch) -> None:
    from dashboard.session import state
    from dashboard.widgets import run_controls

    monkeypatch.setattr(state, "set_run", lambda run: None)
    run_controls.reset(client.store.records[annas])
    assert len(client.jobs) == 1
    assert not client.commands
