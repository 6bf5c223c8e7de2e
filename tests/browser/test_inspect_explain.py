"""Time travel, a click from a point to its explanation, and a long SHAP that is cancelled, by mouse and by keys alone."""

import re
import secrets

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page
from tests.browser.test_tour import open_screen, take_example, train, wait_for_data

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = pytest.mark.browser

SLIDER = ".lw-time-slider"
WAIT_MS = 60_000
Z = """(place) => [...document.querySelectorAll(`${place} .js-plotly-plot`)].map(
    plot => JSON.stringify(plot.data.map(trace => trace.z?.bdata ?? trace.z))).join()"""
"""What the heat maps of a place on the page hold."""


@pytest.fixture(scope="module")
def trained(browser, server: str):
    """The address of a finished run of the digits."""
    page, wrong = watched_page(browser)
    page.goto(server)
    settled(page)
    take_example(page, "Digits 8 × 8")
    train(page)
    wait_for_data(page, "data.state === 'finished'")
    settled(page)
    address = page.url
    page.context.close()
    assert not wrong, wrong
    return address


@pytest.fixture
def looking(page, trained: str):
    """A page that looks at this run."""
    page.set_default_timeout(WAIT_MS)
    page.goto(trained)
    settled(page)
    open_screen(page, "Inspect")
    page.locator(SLIDER).wait_for()
    settled(page)
    return page


def slider(page):
    return page.get_by_role("slider", name="Moment of the training")


def step(page) -> int:
    return int(page.locator(SLIDER).get_attribute("data-step"))


def section(page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True)).first.click()
    settled(page)


def maps_at(page, place: str, words: str) -> str:
    """The heat maps of a place once the page says these words and stands still."""
    page.get_by_text(re.compile(words)).first.wait_for()
    settled(page)
    page.wait_for_function(f"() => document.querySelectorAll('{place} .js-plotly-plot').length > 0")
    return page.evaluate(Z, place)


def test_the_slider_is_dragged_and_maps_and_explanation_change(looking):
    page, place = looking, "[data-testid=stMain]"
    newest = step(page)
    last = maps_at(page, place, rf"Weights after step {newest:,}\.")
    box = slider(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 40)
    page.mouse.down()
    for share in (0.8, 0.6, 0.4, 0.0):
        page.mouse.move(box["x"] + 12 + share * (box["width"] - 24), box["y"] + 40)
    page.mouse.up()
    first = maps_at(page, place, "Initial weights, before any training")
    assert step(page) == 0
    assert first != last
    open_screen(page, "Explain")
    cam = ".st-key-explain-one-panel-integrated_gradients"
    page.locator(f"{cam} .js-plotly-plot").wait_for()
    before = page.evaluate(Z, cam)
    slider(page).focus()
    page.keyboard.press("End")
    page.wait_for_function(f"() => document.querySelector('{SLIDER}').dataset.step === '{newest}'")
    page.wait_for_function(
        f"([place, before]) => {{ const z = {Z}; return z(place) && z(place) !== before; }}", arg=[cam, before]
    )
    settled(page)


def test_moments_are_chosen_by_keys_and_played(looking):
    page = looking
    newest = step(page)
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => +document.querySelector('{SLIDER}').dataset.step < {newest}")
    assert re.search(r"Weights after step [\d,]+ · epoch", slider(page).get_attribute("aria-valuetext"))
    page.keyboard.press("Home")
    page.wait_for_function(f"() => document.querySelector('{SLIDER}').dataset.step === '0'")
    page.get_by_text("Initial weights, before any training").first.wait_for()
    settled(page)
    page.get_by_role("button", name="Play").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => +document.querySelector('{SLIDER}').dataset.step > 2", timeout=WAIT_MS)
    page.get_by_role("button", name="Pause").first.click()
    settled(page)
    page.get_by_role("button", name="Newest").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => +document.querySelector('{SLIDER}').dataset.step === {newest}")
    settled(page)
    open_screen(page, "Train")
    page.get_by_text("looked at").first.wait_for(state="detached")  # the newest is looked at unless another is chosen


def test_the_moment_is_marked_on_the_curves(looking):
    page = looking
    slider(page).focus()
    page.keyboard.press("Home")
    page.get_by_text("Initial weights, before any training").first.wait_for()
    settled(page)
    open_screen(page, "Train")
    page.locator(".lw-live-curves").get_by_text("looked at").first.wait_for()


def test_a_point_of_an_embedding_is_chosen_and_explained(looking):
    page = looking
    section(page, "Embeddings")
    canvas = page.locator(".lw-embedding .stage canvas")
    canvas.wait_for()
    settled(page)
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.get_by_text(re.compile(r"look at it|all other lenses|Explain")).first.wait_for()
    settled(page)
    assert serious_findings(page) == []
    by_keys = chosen_number(page)
    box = canvas.bounding_box()
    grid = [(x / 16, y / 12) for y in range(1, 12) for x in range(1, 16)]
    for x, y in sorted(grid, key=lambda place: abs(place[0] - 0.5) + abs(place[1] - 0.5)):  # some place with a point near it
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(40)
        if page.locator(".lw-embedding .tip").is_visible():
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_timeout(500)
            settled(page)
            if chosen_number(page) != by_keys:
                break
    assert chosen_number(page) != by_keys
    number = chosen_number(page)
    open_screen(page, "Explain")
    page.locator(".st-key-explain-one-panel-grad_cam .js-plotly-plot").wait_for()
    settled(page)
    open_screen(page, "Inspect")
    section(page, "Embeddings")
    canvas.wait_for()
    settled(page)
    assert chosen_number(page) == number


def chosen_number(page) -> str:
    """Which example is looked at: its place in the strip of pictures, or its number below it."""
    return page.evaluate("""() => {
        const strip = [...document.querySelectorAll('.lw-image-picker [role=radio]')];
        const checked = strip.findIndex(one => one.ariaChecked === 'true');
        const told = document.body.innerText.match(/Number [0-9,]+ of this split/)?.[0];
        return checked >= 0 ? `in the strip: ${checked}` : told ?? '';
    }""")


@pytest.mark.parametrize("by_keys", [False, True], ids=["by mouse", "by keys"])
def test_a_long_shap_is_cancelled(page, server, by_keys):
    page.set_default_timeout(WAIT_MS)
    page.goto(server)
    settled(page)
    take_example(page, "Known evidence")
    open_screen(page, "Explain")
    place = page.locator(".st-key-explain-one-panel-shap_superpixels")
    place.locator(".js-plotly-plot").first.wait_for()
    # the verdict below it too: a Stop on the page is that of what is computed, not of what is asked next
    expect(place.get_by_role("button", name="Stop")).to_have_count(0, timeout=WAIT_MS)
    place.get_by_role("button", name=re.compile("Settings")).click()
    evaluations = page.get_by_role("spinbutton", name=re.compile("evaluations", re.IGNORECASE)).first
    evaluations.fill(str(100_000 - secrets.randbelow(10_000)))  # a question that nobody has asked yet
    page.keyboard.press("Tab")
    place.get_by_role("button", name="Stop").wait_for()  # with the popover still open
    page.keyboard.press("Escape")
    stop = place.get_by_role("button", name="Stop")
    stop.wait_for()
    if by_keys:
        stop.focus()
        page.keyboard.press("Enter")
    else:
        stop.click()
    place.get_by_text("Stopped.").wait_for(timeout=10_000)
    assert place.get_by_role("button", name="Compute it").is_visible()
    settled(page)
    assert serious_findings(page) == []


def test_what_if_follows_an_erased_patch(looking):
    page = looking
    open_screen(page, "Explain")
    section(page, "What if")
    canvas = page.locator(".lw-retouch canvas")
    canvas.wait_for()
    settled(page)
    page.get_by_text("As it is:").wait_for()
    before = page.evaluate(Z, "[data-testid=stMain]")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.locator(".lw-retouch").get_by_role("button", name="Undo").wait_for()
    page.wait_for_function(f"([place, before]) => ({Z})(place) !== before", arg=["[data-testid=stMain]", before])
    settled(page)
    assert page.locator(".lw-retouch").get_by_role("button", name="Undo").is_enabled()
    assert serious_findings(page) == []
    page.locator(".lw-retouch").get_by_role("button", name="Take all changes back").click()
    settled(page)
