"""Servers and workers are killed, lines break, tabs and fingers are many: the page finds its run again."""

import csv
import io
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from core.events import StepsDone
from core.store.protocol import RunRecord
from core.store.sql import SqlReader
from tests.browser import conftest
from tests.browser.conftest import ROOT, settled, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVES = ".lw-live-curves"
WAIT_MS = 40_000
LOST = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_SOCKET_NOT_CONNECTED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE"
    r"|Cannot send rerun backMessage when disconnected"
)
"""What a browser, and Streamlit's clock for fragments, say by themselves of a server that is not there."""


class Dashboard:
    """The real server on one port and one data folder, whatever happens to it."""

    def __init__(self, folder: Path, doing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = folder / "home"
        self.port = conftest.free_port()
        self._folder, self._doing = folder, doing
        monkeypatch.setattr(conftest, "free_port", lambda: self.port)
        self.address = self.start()
        self.store = SqlReader(self.home / "runs.db")
        doing.callback(self.store.close)

    def start(self) -> str:
        return self._doing.enter_context(conftest.serving(ROOT / "dashboard/server.py", self._folder))

    def kill(self) -> None:
        """SIGKILL for the server, by its port and folder."""
        ours = f"LAYERWISE_HOME={self.home}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if str(self.port).encode() in words and ours in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    return
            except OSError:  # it has just ended
                continue
        raise AssertionError("there is no server to kill")

    def run(self, run: str) -> RunRecord:
        record = self.store.run(run)
        assert record is not None
        return record

    def losses(self, run: str) -> list[float]:
        events = (logged.event for logged in self.store.events(run, limit=1_000_000, name="StepsDone"))
        return [loss for event in events if isinstance(event, StepsDone) for loss in event.losses[0]]

    def wait_for_growth(self, page, run: str, n: int = 200) -> None:
        """Wait until the store has `n` steps more than now."""
        before = self.run(run).last_step
        wait(page, lambda: self.run(run).last_step > before + n)

    def worker_pid(self, run: str) -> int:
        connection = sqlite3.connect(self.home / "runs.db")
        (pid,) = connection.execute("SELECT pid FROM runs WHERE id=?", (run,)).fetchone()
        connection.close()
        return int(pid)


@pytest.fixture
def dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    with ExitStack() as doing:
        yield Dashboard(tmp_path, doing, monkeypatch)


def wait(page, is_so: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait while the page goes on: its routed sockets are served by this thread, and by none in a sleep."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(20)


def started_run(page, address: str) -> str:
    """Start the experiment that the page opens on; its run, once the curve has begun to grow."""
    page.goto(address)
    settled(page)
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Train$")).click()
    wait_for_step(page, 500)
    settled(page)
    (run,) = re.findall(r"[?&]run=([0-9a-f]{32})", page.url)
    return run


def wait_for_step(page, step: int) -> None:
    page.wait_for_function(f"() => +document.querySelector('{CURVES}')?.dataset.step > {step}", timeout=WAIT_MS)


def table(page, path: Path) -> tuple[list[int], list[float]]:
    """Steps and batch losses that the page has."""
    with page.expect_download() as download:
        page.locator(CURVES).get_by_role("button", name="Download CSV").click()
    download.value.save_as(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    return [int(row["step"]) for row in rows], [float(row["batch_loss"]) for row in rows]


def check_whole_curve(page, dashboard: Dashboard, run: str, path: Path) -> None:
    """The page has every step from the first on, with the losses of the store as 32-bit numbers."""
    steps, losses = table(page, path)
    assert steps == list(range(1, len(steps) + 1))
    stored = dashboard.losses(run)[: len(losses)]
    assert len(stored) == len(losses)
    np.testing.assert_allclose(losses, stored, rtol=1e-5, atol=1e-7)


@pytest.mark.fault(62)
def test_a_killed_server_leaves_the_run_alone_and_the_open_page_finds_it_again(browser, dashboard, tmp_path):
    page, wrong = watched_page(browser)
    run = started_run(page, dashboard.address)
    dashboard.kill()
    page.get_by_text("Connection lost, trying again").wait_for(timeout=WAIT_MS)
    seen = int(page.locator(CURVES).get_attribute("data-step"))
    dashboard.wait_for_growth(page, run)
    assert dashboard.start() == dashboard.address
    wait_for_step(page, max(seen, dashboard.run(run).last_step))  # by itself
    settled(page)
    check_whole_curve(page, dashboard, run, tmp_path / "open.csv")
    last = dashboard.run(run).last_step
    page.reload()
    wait_for_step(page, last - 1)
    settled(page)
    assert f"run={run}" in page.url
    check_whole_curve(page, dashboard, run, tmp_path / "reloaded.csv")
    # the session is a new one, and its buttons are still those of the run
    if dashboard.run(run).state == "running":
        page.get_by_role("button", name=re.compile("Stop")).click()
        wait(page, lambda: dashboard.run(run).state == "stopped")
    page.context.close()
    assert [line for line in wrong if not LOST.search(line)] == []


@pytest.mark.fault(54)
def test_a_killed_worker_is_replaced_under_the_eyes_of_a_viewer(dashboard, page, tmp_path):
    run = started_run(page, dashboard.address)
    mount = page.locator(CURVES).get_attribute("data-mount")
    os.kill(dashboard.worker_pid(run), signal.SIGKILL)
    wait(page, lambda: dashboard.run(run).generation == 1)
    highest = max(int(page.locator(CURVES).get_attribute("data-step")), dashboard.run(run).last_step)
    wait_for_step(page, highest + 1000)
    assert page.locator(CURVES).get_attribute("data-mount") == mount
    assert dashboard.store.events(run, name="WorkerLost")
    settled(page)
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait(page, lambda: dashboard.run(run).state == "stopped")
    page.wait_for_function(f"() => document.querySelector('{CURVES}').dataset.state === 'stopped'", timeout=WAIT_MS)
    wait_for_step(page, dashboard.run(run).last_step - 1)
    check_whole_curve(page, dashboard, run, tmp_path / "after.csv")
    assert len(dashboard.losses(run)) == dashboard.run(run).last_step


class Line:
    """The sockets of a page, which a test can cut: playwright's set_offline leaves those that are open alone."""

    def __init__(self, page) -> None:
        self.is_cut = False
        self._open = []
        page.route_web_socket(re.compile(r"/live|/_stcore/stream"), self._through)

    def _through(self, socket) -> None:
        if self.is_cut:
            socket.close(code=3001)
        else:
            socket.connect_to_server()
            self._open.append(socket)

    def cut(self) -> None:
        self.is_cut = True
        for socket in self._open:
            socket.close(code=3001)
        self._open.clear()

    def mend(self) -> None:
        self.is_cut = False


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One server for several tests, with room for three runs of a visitor."""
    with ExitStack() as doing, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_VISITOR_UNFINISHED", "3")
        yield Dashboard(tmp_path_factory.mktemp("workshop"), doing, patch)


def wait_for_state(page, state: str) -> None:
    page.wait_for_function(f"() => document.querySelector('{CURVES}')?.dataset.state === '{state}'", timeout=WAIT_MS)


def stop(page, dashboard: Dashboard, run: str) -> None:
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait(page, lambda: dashboard.run(run).state == "stopped")
    wait_for_state(page, "stopped")


@pytest.mark.fault(87)
def test_a_browser_that_was_offline_has_the_whole_curve_once_it_is_back(browser, workshop, tmp_path):
    page, wrong = watched_page(browser)
    line = Line(page)
    run = started_run(page, workshop.address)
    line.cut()
    page.get_by_text("Connection lost, trying again").wait_for(timeout=WAIT_MS)
    seen = int(page.locator(CURVES).get_attribute("data-step"))
    workshop.wait_for_growth(page, run)
    assert int(page.locator(CURVES).get_attribute("data-step")) <= seen + 200
    line.mend()
    wait_for_step(page, workshop.run(run).last_step)
    settled(page)
    stop(page, workshop, run)  # its buttons work again
    check_whole_curve(page, workshop, run, tmp_path / "back.csv")
    page.context.close()
    assert [text for text in wrong if not LOST.search(text)] == []


@pytest.mark.fault(88)
@pytest.mark.slow_fault
def test_two_tabs_on_one_run_agree_on_its_state_and_either_may_steer_it(workshop, page):
    run = started_run(page, workshop.address)
    other = page.context.new_page()
    other.goto(page.url)
    wait_for_step(other, 500)
    settled(other)
    other.get_by_role("button", name=re.compile("Pause")).click()
    for tab in (other, page):
        wait_for_state(tab, "paused")
        settled(tab)
    page.get_by_role("button", name=re.compile("Resume")).click()
    for tab in (page, other):
        wait_for_state(tab, "running")
        settled(tab)
    stop(other, workshop, run)
    wait_for_state(page, "stopped")
    stopped = workshop.losses(run)
    for tab in (page, other):
        tab.get_by_text(re.compile(r"This run was stopped after step [\d,]+")).wait_for()
    page.get_by_role("button", name=re.compile("Resume")).click()
    for tab in (page, other):  # without a reload
        wait_for_step(tab, len(stopped) + 200)
        tab.get_by_text(re.compile(r"This run was resumed from its checkpoint after step [\d,]+")).wait_for()
    assert workshop.losses(run)[: len(stopped)] == stopped
    settled(page)
    stop(page, workshop, run)
    other.close()


TAP = """name => {
  const all = [...document.querySelectorAll('[data-testid=stMain] button')];
  const found = all.find((button) => !button.disabled && new RegExp(name).test(button.innerText.trim()));
  found?.click();
  return Boolean(found);
}"""
SLIDE = """() => {
  const found = document.querySelector('[data-testid=stMain] [role=slider]');
  found?.focus();
  return Boolean(found);
}"""


def tap(page, name: str) -> bool:
    """A click as quick as can be; for "rate" a key on the slider of the learning rate. False where there is no such control."""
    if name != "rate":
        return page.evaluate(TAP, name)
    is_there = page.evaluate(SLIDE)
    page.keyboard.press("ArrowRight")
    return is_there


@pytest.mark.fault(89)
@pytest.mark.slow_fault
def test_a_hundred_quick_clicks_are_done_or_refused_in_words(workshop, page):
    page.goto(workshop.address)
    settled(page)
    before = {record.id for record in workshop.store.runs()}
    names, n_taps = cycle(("Train$", "(Pause|Resume)$", "rate", "Step$")), 0
    deadline = time.monotonic() + 30
    while n_taps < 100 and time.monotonic() < deadline:
        n_taps += tap(page, next(names))
    settled(page)
    assert n_taps == 100
    made = [record for record in workshop.store.runs() if record.id not in before]
    assert 1 <= len(made) <= 3  # the limit of this server
    for _ in range(4 - len(made)):
        page.evaluate(TAP, "Train$")
        settled(page)
    page.get_by_text(re.compile("the limit for one visitor")).first.wait_for()
    assert page.get_by_test_id("stException").count() == 0
    made = [record for record in workshop.store.runs() if record.id not in before]
    assert len(made) == 3
    assert set(re.findall(r"[?&]run=([0-9a-f]{32})", page.url)) < {record.id for record in made}
    for record in made:
        page.goto(f"{workshop.address}/?run={record.id}")
        settled(page)
        wait_for_state(page, workshop.run(record.id).state)
        stop(page, workshop, record.id)
