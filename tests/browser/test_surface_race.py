"""The race over a surface in the real browser, with a real pool: the start by mouse and by keyboard, vectors, 3-D, playback."""

import re
from pathlib import Path

import pytest

from tests.browser.conftest import serious_findings, serving, settled

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent
ROOT = ".lw-surface-race"
CURRENT = f"{ROOT}[data-state=current]"
FIRST_MS = 120_000
"""The worker of all lenses loads every library first; on a busy machine that is long."""


@pytest.fixture(scope="module")
def surface_server(tmp_path_factory):
    with serving(HERE / "surface_race_server.py", tmp_path_factory.mktemp("surface")) as address:
        yield address


@pytest.fixture
def race(page, surface_server):
    page.goto(f"{surface_server}/?lanes=2")
    page.wait_for_selector(CURRENT, timeout=FIRST_MS)
    settled(page)
    return page


def alt(page) -> str:
    return page.locator(f"{ROOT} .plane").get_attribute("aria-label")


def start(page) -> tuple[float, float]:
    x, y = re.search(r"Start at x (-?[\d.e-]+), y (-?[\d.e-]+)\.", alt(page)).groups()
    return float(x), float(y)


def paths(page) -> str:
    return page.locator(ROOT).get_attribute("data-paths")


def moved(page, before: str) -> None:
    """Wait for other paths than those before."""
    page.wait_for_function(
        "([root, before]) => { const { state, paths } = document.querySelector(root).dataset;"
        " return state === 'current' && paths !== before; }",
        arg=[ROOT, before],
        timeout=60_000,
    )
    settled(page)


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_start_is_dragged_by_mouse_and_the_paths_follow(race):
    assert start(race) == (-1.2, 1.0)
    before, (x, y) = paths(race), middle(race.locator(f"{ROOT} .handle"))
    race.mouse.move(x, y)
    race.mouse.down()
    race.mouse.move(x + 120, y - 60, steps=5)
    assert race.locator(ROOT).get_attribute("data-state") == "stale"
    assert paths(race) == before
    at = middle(race.locator(f"{ROOT} .handle"))
    assert at == pytest.approx((x + 120, y - 60), abs=1.5)
    race.mouse.up()
    moved(race, before)
    assert start(race)[0] > -0.8
    assert start(race)[1] > 1.2
    assert float(race.get_by_label("Start x").input_value()) == pytest.approx(start(race)[0], abs=0.01)


def test_the_start_is_set_by_click_and_stays_on_the_surface_when_dragged_out_of_it(race):
    before, box = paths(race), race.locator(f"{ROOT} .plane canvas").bounding_box()
    race.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    moved(race, before)
    clicked = start(race)
    assert clicked[0] > 0.5
    assert clicked[1] > 1.5
    before = paths(race)
    race.mouse.move(*middle(race.locator(f"{ROOT} .handle")))
    race.mouse.down()
    race.mouse.move(box["x"] + box["width"] + 60, box["y"] - 60, steps=4)
    race.mouse.up()
    moved(race, before)
    assert start(race) == (2.0, 3.0)


def test_the_start_is_moved_by_keys_alone(race):
    race.locator(f"{ROOT} .handle").focus()
    before = paths(race)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        race.keyboard.press(key)
    moved(race, before)
    assert start(race) == pytest.approx((-1.12, 1.44))
    assert race.evaluate("document.activeElement.className").startswith("handle")
    assert "Start at x -1.12, y 1.44" in race.locator(f"{ROOT} .said").inner_text()
    there = paths(race)
    race.keyboard.press("Home")
    moved(race, there)
    assert paths(race) == before
    assert start(race) == (-1.2, 1.0)


def test_an_earlier_step_shows_its_vectors_and_where_each_lane_stands(race):
    root, step = race.locator(ROOT), race.get_by_label("Step shown")
    assert root.get_attribute("data-vectors") == "0"
    assert "Step 200 of 200: " in alt(race)
    step.fill("5")
    race.wait_for_selector(f"{ROOT}[data-step='5'][data-vectors='2']")
    assert "Arrows of step 6" in race.locator(f"{ROOT} .key").inner_text()
    momentum = race.locator(f"{ROOT} tbody tr").nth(1).locator("td").nth(2)
    assert float(momentum.inner_text()) > 0
    assert race.locator(f"{ROOT} tbody tr").nth(0).locator("td").nth(2).inner_text() == "–"
    race.get_by_label("Vectors").select_option(label="Momentum")
    race.wait_for_selector(f"{ROOT}[data-vectors='1']")
    race.get_by_role("button", name="Momentum").click()
    race.wait_for_selector(f"{ROOT}[data-vectors='0']")
    assert race.get_by_role("button", name="Momentum").get_attribute("aria-pressed") == "false"


def test_a_lane_that_diverges_ends_and_says_so_in_its_row(race):
    before = paths(race)
    race.get_by_text("As in each lane").click()
    moved(race, before)
    row = race.locator(f"{ROOT} tbody tr").first
    assert row.locator(".note").inner_text().startswith("Diverged: step 2 would have gone to")
    assert "SGD, lr 0.1 left the surface after step 1" in alt(race)
    tops = {round(cell.bounding_box()["y"]) for cell in row.locator("th, td").all()}
    assert len(tops) == 1


def test_playback_goes_on_stops_and_begins_again(race):
    race.get_by_label("Speed").select_option("100")
    race.get_by_role("button", name="Play").click()
    race.wait_for_function("root => +document.querySelector(root).dataset.step > 10", arg=ROOT)
    race.get_by_role("button", name="Pause").click()
    race.wait_for_selector(f"{ROOT} .play:text('Play')")
    step = race.locator(ROOT).get_attribute("data-step")
    race.wait_for_timeout(300)
    assert race.locator(ROOT).get_attribute("data-step") == step
    race.get_by_label("Speed").select_option("300")
    race.get_by_role("button", name="Play").click()
    race.wait_for_selector(f"{ROOT}[data-step='200']")
    race.wait_for_selector(f"{ROOT} .play:text('Play')")


def test_a_part_is_enlarged_and_the_whole_comes_back(race):
    before, box = paths(race), race.locator(f"{ROOT} .plane canvas").bounding_box()
    reset = race.get_by_role("button", name="Reset")
    expect(reset).to_be_disabled()
    race.mouse.move(box["x"] + 300, box["y"] + 200)
    race.mouse.down()
    race.mouse.move(box["x"] + 400, box["y"] + 300, steps=4)
    race.mouse.up()
    expect(reset).to_be_enabled()
    race.wait_for_selector(CURRENT)
    assert paths(race) == before
    assert start(race) == (-1.2, 1.0)
    reset.click()
    expect(reset).to_be_disabled()


def test_the_view_in_three_dimensions_comes_and_goes_without_a_shift(race):
    before = race.locator(f"{ROOT} .plane").bounding_box()
    race.get_by_role("button", name="3-D").click()
    race.wait_for_selector(f"{ROOT} .space .gl-container canvas", timeout=60_000)
    race.wait_for_function("() => document.querySelector('.lw-surface-race .space .frame').data?.length === 5")
    assert race.locator(f"{ROOT} .space").bounding_box() == pytest.approx(before, abs=1)
    assert race.locator(f"{ROOT} .space").get_attribute("aria-label").startswith("Rosenbrock surface")
    race.get_by_label("Step shown").fill("0")
    race.wait_for_function(
        "() => { const { x, y } = document.querySelector('.lw-surface-race .space .frame').data[3];"
        " return Math.abs(x[0] + 1.2) < 1e-6 && Math.abs(y[0] - 1) < 1e-6; }"
    )
    race.get_by_role("button", name="2-D").click()
    assert race.locator(f"{ROOT} .plane").bounding_box() == pytest.approx(before, abs=1)


def test_light_and_dark_wide_and_narrow_are_clean_for_axe_and_nothing_lies_on_anything(race):
    race.get_by_label("Step shown").fill("3")
    race.get_by_role("button", name="Momentum").click()
    line = race.locator(f"{ROOT} tbody line").first
    assert line.get_attribute("stroke") == "#0072B2"
    assert serious_findings(race) == []
    apart(race, 1440)
    race.emulate_media(color_scheme="dark")
    race.set_viewport_size({"width": 1024, "height": 900})
    race.wait_for_selector(f"{ROOT} tbody line[stroke='#56B4E9']", state="attached")
    race.wait_for_function("() => document.querySelector('.lw-surface-race .scroll').getBoundingClientRect().left < 60")
    assert serious_findings(race) == []
    apart(race, 1024)


def apart(page, width: int) -> None:
    """Fail where plane, loss by step and table overlap, or one of them leaves the page."""
    boxes = [page.locator(f"{ROOT} {part}").bounding_box() for part in (".plane", ".values", ".scroll")]
    for i, one in enumerate(boxes):
        assert one["x"] + one["width"] <= width
        for other in boxes[i + 1 :]:
            is_beside = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
            assert is_beside or one["y"] + one["height"] <= other["y"] + 1 or other["y"] + other["height"] <= one["y"] + 1
