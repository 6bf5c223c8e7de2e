"""The Health screen, by AppTest: all numbers for the host, the way to become one for everybody else, a run that is stopped."""

import logging
import time
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import NotYours
from core.events import Stop
from core.jobs.job import PoolStatus
from core.jobs.pool_health import PoolHealth, Waiting, Worker
from core.logs import Recent, Said
from core.settings import Settings
from dashboard.session import resources, vitals
from dashboard.session.visitor import Visitor
from dashboard.session.vitals import Vitals

HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:1) $x$"
RUN, QUEUED, OWNER = "a1" * 16, "c3" * 16, "b2" * 16
HEALTH = PoolHealth(
    pid=7,
    up_s=120.0,
    n_bytes=90 * 10**6,
    workers=(
        Worker(11, "training", RUN, "train", OWNER, "running", 65.0, 2 * 10**9),
        Worker(12, "lens", "", "", "", "", 0.0, None),
    ),
    n_workers=2,
    waiting=(Waiting(QUEUED, "train", "", 30.0),),
    n_waiting=5,
    n_runs=1234,
    stored_bytes=5 * 10**9,
    said=(Said(1.7e9, "ERROR", "core.jobs", HOSTILE),),
)


class Pool:
    """A supervisor with one answer, which notes what it was ordered."""

    def __init__(self, health=HEALTH):
        self._health, self.orders, self.refuses = health, [], None
        self.store = SimpleNamespace(run=lambda run: None)

    def pulse(self, timeout_s):
        return PoolStatus(True, True, 1, 5) if self._health else None

    def health(self, timeout_s):
        return self._health

    def of(self, owner, *, is_host=False):
        assert is_host
        return self

    def command(self, run, command):
        if self.refuses:
            raise self.refuses
        self.orders.append((run, command))


@pytest.fixture
def pool(home, monkeypatch):
    pool = Pool()
    monkeypatch.setattr(resources, "pool", lambda: pool)
    monkeypatch.setattr(resources, "settings", lambda: Settings(home=home, max_running=7))
    watched = Vitals(lambda: resources.pool())
    watched.count("runs", lambda: 2)
    monkeypatch.setattr("dashboard.screens.health.vitals", lambda: watched)
    be(monkeypatch, is_host=True)
    return pool


def be(monkeypatch, *, is_host):
    present = Visitor(OWNER, is_host=is_host, may_change_all=is_host)
    for place in ("dashboard.screens.health", "dashboard.widgets.health_workers"):
        monkeypatch.setattr(f"{place}.visitor", lambda: present)


def page():
    from dashboard.screens import health

    health.render()


def run(app=None):
    app = (app or AppTest.from_function(page, default_timeout=60)).run()
    assert not app.exception
    return app


def columns(app, name):
    """The table that has a column of this name."""
    return next(one.value for one in app.dataframe if name in one.value.columns)


def test_the_host_sees_all_numbers(pool):
    app = run()
    assert {one.label: one.value for one in app.metric}.items() >= {
        "Runs at work": "1",
        "Waiting": "5",
        "Open pages": "0",
    }.items()
    assert "up for" in app.success[0].value
    assert any("2 of runs, 0 of rooms" in one.value for one in app.caption)
    workers = columns(app, "Process")
    assert list(workers["Process"]) == ["11", "12"]
    assert list(workers["Memory"]) == ["2.0 GB", "unknown"]
    assert list(workers["Of"]) == [OWNER[:8], ""]
    queue = columns(app, "Waits for")
    assert list(queue["Of"]) == ["nobody in particular"]
    assert any("4 more are not shown." in one.value for one in app.caption)
    store = columns(app, "Size")
    assert store["Size"].iloc[0] == "5.0 GB"
    assert store["Note"].iloc[0] == "1,234 runs"
    settings = columns(app, "Setting").set_index("Setting")
    assert settings.loc["LAYERWISE_MAX_RUNNING", "Value"] == "7"
    assert settings.loc["LAYERWISE_MAX_RUNNING", "Default"] == ""
    assert settings.loc["LAYERWISE_HANG_S", "Default"] == "yes"
    assert not [name for name in settings.index if "CODE" in name or "KEY" in name]


def test_what_went_wrong_is_shown_as_text_the_newest_first(pool):
    handler = Recent()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        logging.getLogger("layerwise.server").warning("the newest")
        errors = columns(run(), "Where")
    finally:
        root.removeHandler(handler)
    assert list(errors["What"]) == ["the newest", HOSTILE]
    assert list(errors["Where"]) == ["server", "supervisor"]
    app = run()
    assert not [one for one in app.markdown if "onerror" in one.value]


def test_a_run_is_chosen_and_stopped(pool):
    app = run()
    assert app.button(key="health.stop").disabled
    assert app.selectbox(key="health.stop_which").value is None
    app.selectbox(key="health.stop_which").set_value(RUN)
    run(app)
    assert app.button(key="health.stop").label == "Stop run a1a1a1"
    app.button(key="health.stop").click()
    run(app)
    assert pool.orders == [(RUN, Stop())]


def test_a_refusal_is_said_and_the_page_goes_on(pool):
    pool.refuses = NotYours("Not *this* one.")
    app = run()
    app.selectbox(key="health.stop_which").set_value(QUEUED)
    run(app)
    app.button(key="health.stop").click()
    run(app)
    assert "Not \\*this\\* one\\." in app.toast[0].value


def test_who_is_no_longer_host_stops_nothing(pool, monkeypatch):
    app = run()
    app.selectbox(key="health.stop_which").set_value(RUN)
    run(app)
    be(monkeypatch, is_host=False)
    app.button(key="health.stop").click()
    run(app)
    assert pool.orders == []
    assert not app.metric


@pytest.mark.parametrize(("key", "words"), [("k" * 20, "I am the host"), ("", "LAYERWISE_HOST_KEY")])
def test_a_visitor_sees_nothing_but_the_way_to_become_host(pool, monkeypatch, key, words):
    be(monkeypatch, is_host=False)
    monkeypatch.setattr("dashboard.screens.health.asks_for_host_key", lambda: bool(key))
    app = run()
    assert words in app.info[0].value
    assert not [*app.dataframe, *app.metric, *app.button, *app.selectbox]


def test_without_a_supervisor_the_page_says_so_and_shows_the_rest(pool, monkeypatch):
    monkeypatch.setattr(resources, "pool", lambda: Pool(health=None))
    app = run()
    assert "does not answer" in app.error[0].value
    assert columns(app, "Size")["Size"].iloc[0] == "unknown"
    assert [one.value for one in app.metric][:2] == ["–", "–"]


def test_scarce_memory_is_a_warning(pool, monkeypatch):
    monkeypatch.setattr(vitals, "machine_memory", lambda: (10 * 2**30, 2**29))
    assert "nearly used up" in run().warning[0].value


def test_the_chart_has_a_gap_where_nothing_is_known():
    from dashboard.figures.health import alt_last_minutes, last_minutes

    series = {"at work": [1, None, 3], "waiting": [0, 0, 2]}
    drawing = last_minutes([-2.0, -1.0, -0.1], series, unit="number", most=4.0, dark=False)
    assert drawing.data[0].y == (1, None, 3)
    assert drawing.data[0].line.dash != drawing.data[1].line.dash
    assert (drawing.layout.xaxis.title.text, drawing.layout.yaxis.title.text) == ("minutes before now", "number")
    assert alt_last_minutes(series, unit="number") == (
        "number in the last minutes. at work: now 3, at most 3; waiting: now 2, at most 2."
    )
    assert last_minutes([-1.0], {"at work": [1]}, unit="number", dark=True).layout.annotations


def test_a_sample_is_of_now(pool):
    assert abs(Vitals(lambda: pool).sample().time - time.time()) < 60
