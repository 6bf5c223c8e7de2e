"""Two people on one server with an access code: one trains, the other watches; two tabs of a browser are one person."""

import re

import pytest

from core.experiment.codec import link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget
from tests.browser.conftest import ROOT, serious_findings, serving, settled, watched_page
from tests.browser.test_tour import open_screen, wait_for_data

pytestmark = pytest.mark.browser

CODE, KEY = "plum-tree-7", "the-hosts-own-key"
ASKED = re.compile(r"^401 |the server responded with a status of 401")
"""What a browser says of a page that asks for the code."""
CONTROLS = re.compile(r"^(Pause|Resume|Step|Stop|Reset)$")


@pytest.fixture
def closed_server(tmp_path, monkeypatch):
    """A server that asks for a code."""
    monkeypatch.setenv("LAYERWISE_ACCESS_CODE", CODE)
    monkeypatch.setenv("LAYERWISE_HOST_KEY", KEY)
    with serving(ROOT / "dashboard/server.py", tmp_path) as address:
        yield address
    log = (tmp_path / "server.log").read_text()
    assert CODE not in log
    assert KEY not in log


def enter(page, address: str) -> None:
    """Open an address as one who has no pass yet, and give the code."""
    page.goto(address)
    assert serious_findings(page) == []
    page.get_by_label("Access code").fill(CODE)
    page.keyboard.press("Enter")
    settled(page)
    assert page.url.startswith(address.split("?")[0])


def button(page, name):
    return page.get_by_test_id("stMain").get_by_role("button", name=name)


def test_one_trains_another_watches_and_a_second_tab_is_the_first_person(browser, closed_server):
    anna, wrong = watched_page(browser)
    ben, bens_wrong = watched_page(browser, color_scheme="dark")
    long = default_experiment().but(budget=Budget(epochs=100_000))
    try:
        anna.goto(closed_server)
        anna.get_by_label("Access code").fill("a guess")
        anna.get_by_role("button", name="Enter").click()
        anna.get_by_role("alert").filter(has_text="This is not the access code.").wait_for()
        enter(anna, f"{closed_server}/?x={link_text(long)}")
        button(anna, re.compile("Train$")).click()
        wait_for_data(anna, "data.state === 'running' && +data.step > 5")
        anna.wait_for_url(re.compile("run="))
        link = anna.url

        enter(ben, link)  # the way back keeps the run
        ben.get_by_text("This run belongs to somebody else: you are watching.").wait_for()
        wait_for_data(ben, "data.state === 'running' && +data.step > 5")
        assert button(ben, CONTROLS).count() == 0
        assert ben.get_by_role("slider").count() == 0
        assert serious_findings(ben) == []
        open_screen(ben, "Runs")
        ben.get_by_text("No runs yet.").wait_for()

        second = anna.context.new_page()
        second.goto(link)  # no code, and the same space
        settled(second)
        button(second, "Stop").click()
        wait_for_data(anna, "data.state === 'stopped'")

        # Ben becomes the host, and then sees and may change Anna's
        ben.goto(link)
        settled(ben)
        button(ben, re.compile("My space")).click()
        ben.get_by_role("link", name="I am the host").click()
        ben.get_by_label("Host key").fill(KEY)
        ben.get_by_role("button", name="Become host").click()
        settled(ben)
        button(ben, re.compile("Reset$")).wait_for()
    finally:
        anna.context.close()
        ben.context.close()
    wrong = [one for one in [*wrong, *bens_wrong] if not ASKED.search(one) and "403" not in one]
    assert not wrong, wrong
