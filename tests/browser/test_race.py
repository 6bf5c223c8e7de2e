"""A race in a real browser: six optimizers with four seeds, the verdict, and everything that hands can do while it runs."""

import re

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page
from tests.browser.test_tour import data, open_screen, take_example, train, wait_for_data

pytestmark = pytest.mark.browser

CURVES = ".lw-live-curves"
WAIT_MS = 60_000


def race(page, server, epochs="4000"):
    """Six optimizers with four seeds, racing."""
    page.goto(server)
    settled(page)
    take_example(page, "Six optimizers race")
    open_screen(page, "Race")
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    field.fill(epochs)
    page.keyboard.press("Tab")
    settled(page)
    start(page)


def start(page):
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Race$")).click()


def lane(page, name):
    """The button in the legend that shows or mutes a lane."""
    return page.locator(f"{CURVES} .lanes button.show").filter(has_text=re.compile(name))


def unfold(page, name):
    page.get_by_test_id("stExpander").get_by_text(name, exact=True).click()
    settled(page)


def test_six_optimizers_race_and_a_hand_is_laid_on_them(page, server):
    race(page, server)
    wait_for_data(page, "data.state === 'running' && +data.step > 30")
    page.get_by_text(re.compile("of 4 seeds")).first.wait_for(timeout=WAIT_MS)
    for name in ("SGD", "Momentum", "RMSprop", "Adam", "AdamW", "Adagrad"):
        assert page.locator(".lw-standings").get_by_role("rowheader", name=name, exact=True).count() == 1
    page.get_by_text("Initial weights: within each of the 4 seeds the same for all lanes.").wait_for()
    assert serious_findings(page) == []

    # mute a lane, without a run of the page
    mount = data(page, "mount")
    adagrad = lane(page, "^Adagrad")
    adagrad.click()
    page.wait_for_function("button => button.getAttribute('aria-pressed') === 'false'", arg=adagrad.element_handle())
    assert data(page, "mount") == mount

    # another learning rate, marked on the curves
    unfold(page, "Change the race")
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True)
    rate.fill("0.05")
    page.keyboard.press("Tab")
    page.locator(CURVES).get_by_text(re.compile(r"SGD.*(learning rate|lr).*0\.1.*0\.05")).first.wait_for(timeout=WAIT_MS)

    # one more lane in mid-race, which catches up
    page.get_by_role("button", name=re.compile("Add lane")).click()
    settled(page)
    page.get_by_role("combobox", name=re.compile("Optimizer")).click()
    page.get_by_role("option", name="NAdam", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Let it join").click()
    lane(page, "^NAdam").wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Let it join").wait_for(state="detached")
    page.locator(".lw-standings").get_by_role("rowheader", name=re.compile("NAdam")).wait_for(timeout=WAIT_MS)
    assert data(page, "mount") == mount

    # a lane leaves; its number is not given to another
    settled(page)
    page.get_by_role("button", name=re.compile("Remove")).click()
    page.get_by_text(re.compile(r"SGD was removed after step")).wait_for(timeout=WAIT_MS)
    page.get_by_role("combobox", name="Lane").click()
    page.get_by_role("option", name=re.compile("^7 ")).wait_for()
    page.keyboard.press("Escape")

    settled(page)
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait_for_data(page, "data.state === 'stopped'")
    page.get_by_text("3 changes by hand in this run.").wait_for()
    page.get_by_role("button", name="Repeat with my changes").click()
    page.get_by_text("with 3 changes on the way").wait_for()
    settled(page)
    assert serious_findings(page) == []


def test_a_step_is_made_one_phase_at_a_time_and_reset_goes_back_to_the_start(page, server):
    page.goto(server)
    settled(page)
    take_example(page, "Two spirals")
    open_screen(page, "Train")
    train(page)
    wait_for_data(page, "data.state === 'running' && +data.step > 5")
    settled(page)
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text(": Paused").wait_for(timeout=WAIT_MS)
    settled(page)
    page.get_by_text("phase", exact=True).click()
    settled(page)
    step = page.get_by_role("button", name=re.compile("Step"))
    for sign in ("10 examples pass the network", "the mean over the batch is", "The gradient of the loss", "moves all weights"):
        step.click()
        page.get_by_text(re.compile(sign)).wait_for(timeout=WAIT_MS)
        settled(page)
    page.get_by_role("heading", name="Step 1 in four phases").wait_for()
    wait_for_data(page, "+data.step === 1")
    page.get_by_text("change of 1 Linear weight").wait_for()
    assert serious_findings(page) == []
    page.get_by_text("epoch", exact=True).click()
    settled(page)
    step.click()
    wait_for_data(page, "+data.step === 50 && data.state === 'paused'")


def test_slow_motion_is_slow_and_full_speed_is_not(page, server):
    page.goto(server)
    settled(page)
    train(page)
    wait_for_data(page, "data.state === 'running' && +data.step > 5")
    settled(page)
    speed = page.get_by_role("slider", name=re.compile("Speed"))
    speed.focus()
    page.keyboard.press("Home")
    settled(page)
    page.wait_for_timeout(1500)
    before = int(data(page, "step"))
    page.wait_for_timeout(3000)
    slow = int(data(page, "step")) - before
    assert slow <= 6
    speed.focus()
    page.keyboard.press("End")
    wait_for_data(page, f"+data.step > {before + 60}")
    settled(page)
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait_for_data(page, "data.state === 'stopped'")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1024), ("dark", 1440)])
def test_the_race_screen_is_sound_in_the_dark_and_on_a_narrow_window(browser, server, scheme, width):
    page, wrong = watched_page(browser, color_scheme=scheme, viewport={"width": width, "height": 900})
    race(page, server, epochs="12")
    wait_for_data(page, "data.state === 'finished'")
    page.get_by_role("heading", name="Result", exact=True).wait_for(timeout=WAIT_MS)
    unfold(page, "Who races, and how")
    for name in ("How it works", "Learning-rate range test", "Learning-rate schedule", "Regularization", "More about training"):
        unfold(page, name)
    settled(page)
    assert serious_findings(page) == []
    overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.context.close()
    assert not wrong
