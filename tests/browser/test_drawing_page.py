"""The pads and the drawing in the real browser: by mouse and by keyboard alone."""

import json
from pathlib import Path

import pytest

from tests.browser.conftest import serious_findings, serving, settled, watched_page

pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def drawing_server(tmp_path_factory):
    with serving(HERE / "drawing_server.py", tmp_path_factory.mktemp("drawing")) as address:
        yield address


@pytest.fixture
def drawing(page, drawing_server):
    page.goto(drawing_server)
    page.wait_for_selector(".lw-network svg")
    settled(page)
    return page


def points(page) -> list:
    return json.loads(page.get_by_text("Points: ").inner_text().removeprefix("Points: "))


def test_points_are_added_by_click_moved_by_dragging_and_removed(drawing):
    box = drawing.locator(".lw-point-pad canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drawing.get_by_role("radio", name="class 1").click()
    drawing.mouse.click(*middle)
    drawing.wait_for_function("document.body.innerText.includes(', [0, 0, 1]]')")
    drawing.mouse.move(*middle)
    drawing.mouse.down()
    drawing.mouse.move(middle[0] + box["width"] / 4, middle[1], steps=4)
    drawing.mouse.up()
    drawing.wait_for_function("!document.body.innerText.includes('[0, 0, 1]')")
    x, y, label = points(drawing)[-1]
    assert (abs(x - 300) <= 3, abs(y) <= 3, label) == (True, True, 1)
    drawing.get_by_role("button", name="Undo last").click()
    drawing.wait_for_function("document.body.innerText.includes('Points: [[-200, -200, 0], [200, 200, 1]]')")


def test_points_and_a_digit_are_drawn_by_keyboard_alone(drawing):
    drawing.locator(".lw-point-pad canvas").focus()
    for key in ("2", "ArrowRight", "ArrowUp", "Enter"):
        drawing.keyboard.press(key)
    drawing.wait_for_function("document.body.innerText.includes('[25, 25, 1]')")
    drawing.keyboard.press("Delete")
    drawing.wait_for_function("!document.body.innerText.includes('[25, 25, 1]')")
    drawing.locator(".lw-digit-pad canvas").focus()
    for key in (" ", "ArrowDown", "ArrowDown", "ArrowRight"):
        drawing.keyboard.press(key)
    drawing.wait_for_function("document.body.innerText.includes('Drawn: True')")


def test_the_drawing_selects_what_is_clicked_and_tells_it(drawing):
    drawing.evaluate("addEventListener('layerwise:select', ({ detail }) => { window.told = detail; })")
    deep = drawing.locator(".lw-network").nth(1)
    deep.get_by_role("button", name="Layer 3.2 ReLU").click()
    assert drawing.evaluate("window.told") == {"path": [2, 0, 1], "source": "network"}
    drawing.keyboard.press("ArrowRight")
    assert drawing.evaluate("window.told.path") == [2, 0, 2]
    drawing.evaluate("dispatchEvent(new CustomEvent('layerwise:select', { detail: { path: [0], source: 'stack' } }))")
    assert deep.locator(".chosen").get_attribute("aria-label").startswith("Layer 1 Conv2d")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_clean_for_axe(browser, drawing_server, scheme):
    page, wrong = watched_page(browser, color_scheme=scheme, viewport={"width": 1024, "height": 900})
    page.goto(drawing_server)
    page.wait_for_selector(".lw-network svg")
    settled(page)
    assert serious_findings(page) == []
    page.context.close()
    assert not wrong, wrong
