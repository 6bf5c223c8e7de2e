"""The whole way of a first visitor, in a real browser: build, train live, look inside, explain."""

import re

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page

pytestmark = pytest.mark.browser

CURVES = ".lw-live-curves"
PLANE = ".lw-boundary"
WAIT_MS = 60_000


def data(page, name, root=CURVES):
    return page.locator(root).get_attribute(f"data-{name}")


def wait_for_data(page, condition, root=CURVES):
    page.wait_for_function(
        f"() => {{ const data = document.querySelector('{root}')?.dataset; return data && ({condition}); }}", timeout=WAIT_MS
    )


def open_screen(page, name):
    page.mouse.move(0, 0)  # the words of a button under the pointer may lie over the links
    page.get_by_role("link", name=name, exact=True).click()
    settled(page)


def take_example(page, name):
    page.get_by_role("button", name=re.compile("Examples")).click()
    page.get_by_role("button", name=name).click()
    page.keyboard.press("Escape")
    settled(page)


def train(page):
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Train$")).click()


def test_the_first_visit_moves_within_seconds(page, server):
    page.goto(server)
    settled(page)
    page.get_by_text("Spiral").first.wait_for()
    wait_for_data(page, "true", PLANE)
    wait_for_data(page, "data.mount")
    mount = page.locator(CURVES).get_attribute("data-mount")
    train(page)
    wait_for_data(page, "+data.step > 0 && +data.updates > 3")
    page.get_by_text(re.compile(r"epoch \d+ / 800")).wait_for()
    assert serious_findings(page) == []
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait_for_data(page, "data.state === 'stopped'")
    settled(page)
    assert page.locator(CURVES).get_attribute("data-mount") == mount  # whatever has come and gone above the charts


def test_the_whole_tour(page, server, browser):
    page.goto(server)
    settled(page)
    take_example(page, "Digits 8 × 8")

    # edit a layer with the keyboard, see the shape error, apply its fix
    open_screen(page, "Build")
    handle = page.get_by_role("button", name=re.compile("Move Flatten, layer 7 of 8"))
    handle.focus()
    page.keyboard.press("Delete")
    alert = page.get_by_text(re.compile(r"Layer 7 Linear needs a flat vector but receives 32 × 2 × 2 from layer 6 MaxPool2d"))
    alert.first.wait_for()
    assert page.get_by_role("button", name=re.compile("Train$")).last.is_disabled()
    page.get_by_role("button", name=re.compile("^Fix: ")).first.click()
    page.get_by_role("button", name=re.compile("Move Flatten, layer 7 of 8")).wait_for()
    alert.first.wait_for(state="detached")
    settled(page)
    assert serious_findings(page) == []
    page.get_by_role("spinbutton", name="Epochs").fill("2000")
    page.keyboard.press("Tab")
    settled(page)

    # train, watch ten live updates without a remount
    train(page)
    wait_for_data(page, "data.state === 'running' && +data.step > 20")
    mount, updates = data(page, "mount"), int(data(page, "updates"))
    page.wait_for_function(f"() => +document.querySelector('{CURVES}').dataset.updates >= {updates + 10}", timeout=WAIT_MS)
    assert data(page, "mount") == mount

    # pause, one step, another learning rate, go on
    page.get_by_role("button", name=re.compile("Pause")).click()
    wait_for_data(page, "data.state === 'paused'")
    resume = page.get_by_role("button", name=re.compile("Resume"))
    resume.wait_for()
    settled(page)
    paused_at = int(data(page, "step"))
    page.get_by_role("button", name=re.compile("Step")).click()
    wait_for_data(page, f"+data.step === {paused_at + 1}")
    slider = page.get_by_role("slider", name=re.compile("Learning rate"))
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text(re.compile("learning rate.*0.003 to 0.002|lr: 0.003 to 0.002")).first.wait_for(state="attached")
    settled(page)
    resume.click()
    wait_for_data(page, f"data.state === 'running' && +data.step > {paused_at + 20}")

    # a reload in mid-run, and a second viewer, find the run by the link
    url = page.url
    assert "run=" in url
    page.reload()
    wait_for_data(page, f"+data.step > {paused_at + 20}")
    other, wrong = watched_page(browser)
    other.goto(url)
    wait_for_data(other, f"+data.step > {paused_at + 20}")
    other.context.close()
    assert not wrong

    # stop, and keep the result
    settled(page)
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait_for_data(page, "data.state === 'stopped'")
    assert serious_findings(page) == []

    # pictures in Inspect and Explain
    open_screen(page, "Inspect")
    page.get_by_text("1 Conv2d: 16 maps of 8 × 8").first.wait_for(timeout=WAIT_MS)
    page.get_by_role("radio", name="3").first.click()
    page.get_by_text("right is 3").first.wait_for(timeout=WAIT_MS)
    page.wait_for_function("() => document.querySelectorAll('[data-testid=stPlotlyChart]').length === 9", timeout=WAIT_MS)
    settled(page)
    assert serious_findings(page) == []
    open_screen(page, "Explain")
    for word in ("additivity residual", "R² of the fit", "seed 0"):
        page.get_by_text(word).first.wait_for(timeout=WAIT_MS)
    page.wait_for_function("() => document.querySelectorAll('[data-testid=stPlotlyChart]').length === 1 + 4", timeout=WAIT_MS)
    assert serious_findings(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 1024), ("dark", 1024)])
def test_every_screen_is_sound_in_the_dark_and_on_a_narrow_window(browser, server, scheme, width):
    page, wrong = watched_page(browser, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(server)
    settled(page)
    take_example(page, "Breast cancer")
    train(page)
    wait_for_data(page, "data.state === 'finished'")
    for screen, sign in (("Train", "loss"), ("Build", "Add layer"), ("Inspect", "Prediction"), ("Explain", "base value")):
        open_screen(page, screen)
        shown = page.get_by_text(re.compile(sign, re.IGNORECASE)).locator("visible=true")
        shown.first.wait_for(timeout=WAIT_MS)
        settled(page)
        assert serious_findings(page) == []
        overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
    page.context.close()
    assert not wrong
