"""A presenter and two followers in three browsers: what is shown arrives, is tried on one's own, and come back to."""

import re
import time

import pytest

from core.data.rendered import Digits
from core.experiment.codec import link_text
from core.experiment.experiment import Budget
from core.jobs.room_client import new_room_id
from tests.browser.conftest import settled, watched_page
from tests.browser.test_tour import open_screen, train
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
MODEL = stack("Flatten", linear(16), "ReLU", linear(10))
SMALL = spiral(data=Digits(), model=MODEL, batch_size=64, budget=Budget(epochs=6))
SLIDER, EAR = ".lw-time-slider", ".lw-room-follow"
SHOWN = f"document.querySelector('{SLIDER}')?.dataset.step"
CHOSEN = "[...document.querySelectorAll('.lw-image-picker [role=radio]')].findIndex(one => one.ariaChecked === 'true')"
RUN = r"run ([0-9a-f]{6})"


@pytest.fixture
def opened(browser):
    """Opens pages, each in a browser context of its own, on none of which anything may go wrong."""
    pages = []

    def open_page(address):
        page, wrong = watched_page(browser)
        page.set_default_timeout(WAIT_MS)
        pages.append((page, wrong))
        page.goto(address)
        settled(page)
        return page

    yield open_page
    for page, _wrong in pages:
        page.context.close()
    assert [wrong for _page, wrong in pages if wrong] == []


def present(page, name: str) -> str:
    """Opens a room; its id."""
    page.locator(".st-key-header-present button").first.click()
    page.get_by_label("Name of the room").fill(name)
    page.get_by_role("button", name="Open a room").click()
    page.locator(EAR).wait_for(state="attached")
    page.wait_for_function("() => location.search.includes('room=')")
    settled(page)
    return re.search(r"room=([\w-]+)", page.url).group(1)


def close_room(page) -> None:
    page.locator(".st-key-room-close_menu button").first.click()
    page.get_by_role("button", name="Close it now").click()


def run_of(page) -> str:
    return page.locator(".st-key-header").get_by_text(re.compile(RUN)).first.text_content()


def same(page, what: str, value) -> None:
    """Wait until the page has this value of a JavaScript expression."""
    page.wait_for_function(f"([value]) => {what} === value", arg=[value])


def test_followers_see_what_is_shown_and_one_tries_it_and_comes_back(opened, server: str):
    presenter = opened(f"{server}/?x={link_text(SMALL)}")
    room = present(presenter, "<i>Rates</i>")
    follower = opened(f"{server}/?room={room}")
    follower.get_by_text("You follow <i>Rates</i>").wait_for()
    presenter.get_by_text("1 follows").wait_for()

    open_screen(presenter, "Build")
    follower.wait_for_url(re.compile("/build"))
    rate = presenter.get_by_role("spinbutton", name="Learning rate").first
    rate.fill("0.02")
    rate.press("Enter")
    follower.locator(".st-key-header").get_by_text(re.compile(r"lr 0\.02")).wait_for()

    train(presenter)
    presenter.wait_for_function("() => document.querySelector('.lw-live-curves')?.dataset.state === 'finished'")
    follower.wait_for_function("() => document.querySelector('.lw-live-curves')?.dataset.state === 'finished'")
    settled(presenter)
    settled(follower)
    shown = re.search(RUN, run_of(presenter)).group(1)
    assert shown in run_of(follower)

    open_screen(presenter, "Inspect")
    for page in (presenter, follower):
        page.locator(f"{SLIDER} [role=slider]").wait_for()
        page.locator(".lw-image-picker [role=radio]").first.wait_for()
    presenter.locator(".lw-image-picker [role=radio]").nth(3).click()
    same(follower, CHOSEN, 3)
    newest = presenter.evaluate(SHOWN)
    presenter.locator(f"{SLIDER} [role=slider]").focus()
    began = time.monotonic()
    presenter.keyboard.press("ArrowLeft")
    presenter.wait_for_function(f"([newest]) => {SHOWN} !== newest", arg=[newest])
    step = presenter.evaluate(SHOWN)
    same(follower, SHOWN, step)
    assert time.monotonic() - began < 5  # half a second on a machine that does nothing else

    follower.get_by_role("button", name="Try it yourself").click()
    follower.get_by_role("button", name="Back to the room").wait_for()
    settled(follower)
    train(follower)
    another = RUN.replace("(", f"((?!{shown})", 1)
    follower.locator(".st-key-header").get_by_text(re.compile(another + ".*Finished")).wait_for()
    settled(follower)
    own = re.search(RUN, run_of(follower)).group(1)
    assert own != shown
    follower.get_by_role("button", name="Back to the room").click()
    follower.wait_for_url(re.compile("/inspect"))
    same(follower, SHOWN, step)
    assert shown in run_of(follower)
    follower.get_by_role("button", name="Go on with mine").click()
    follower.locator(".st-key-header").get_by_text(re.compile(f"run {own}")).wait_for()

    presenter.reload()
    presenter.get_by_text("You present").wait_for()
    same(presenter, SHOWN, step)
    close_room(presenter)
    follower.get_by_text("The presenter has closed the room").wait_for()
    assert own in run_of(follower)


def test_a_follower_whose_socket_is_blocked_has_a_button_to_look_again(opened, browser, server: str):
    presenter = opened(server)
    room = present(presenter, "")
    page, _wrong = watched_page(browser)  # a browser tells of sockets that cannot be opened
    page.set_default_timeout(WAIT_MS)
    page.route_web_socket(re.compile("/api/rooms/"), lambda socket: socket.close(code=1011))
    page.goto(f"{server}/?room={room}")
    settled(page)
    open_screen(presenter, "Data")
    page.get_by_text("Not connected to the room").wait_for()
    page.get_by_role("button", name="Refresh").click()
    page.wait_for_url(re.compile("/data"))
    page.context.close()
    close_room(presenter)
    presenter.get_by_text("You present").wait_for(state="detached")


def test_a_room_that_is_not_there_is_told(opened, server: str):
    page = opened(f"{server}/?room={new_room_id()}")
    page.get_by_text("there has never been one").wait_for()
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_text("there has never been one").wait_for(state="detached")
