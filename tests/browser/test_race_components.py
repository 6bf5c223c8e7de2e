"""The curves and the decision surfaces of a race of eight lanes with four seeds each."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page
from tests.dashboard.fake_race import CHANGED, FORKED, JOINED, REMOVED, SWAPPED, Race

pytestmark = pytest.mark.browser

CURVES = ".lw-live-curves"
UIDS = """() => Object.fromEntries([...document.querySelectorAll('.lw-live-curves .panel:not([hidden])')].map(panel =>
    [panel.dataset.panel, panel.querySelector('.plot').data?.map(trace => trace.uid) ?? []]))"""
PLOTS = "[...document.querySelectorAll('.lw-live-curves .panel:not([hidden]) .plot')]"
MEASURED = ("Update size", "Gradient norm", "Effective learning rate", "Learning rate")


def watching(page, address: str, run: str = "race-done-1", step: int = 2000) -> None:
    page.set_viewport_size({"width": 1440, "height": 2400})
    page.goto(f"{address}/?run={run}")
    settled(page)
    page.wait_for_function(f"() => +document.querySelector('{CURVES}')?.dataset.step >= {step}")
    page.wait_for_function(f"() => {PLOTS}.length >= 2 && {PLOTS}.every(plot => plot.data?.length > 0)")


@pytest.fixture(scope="module")
def shown(browser, components_server: str):
    """A page with a race that is over, for tests that leave it as it is."""
    page, wrong = watched_page(browser)
    watching(page, components_server)
    yield page
    page.context.close()
    assert not wrong, wrong


def until(page, condition: str) -> None:
    """Wait for a condition on `uids`: the traces of each panel that is shown."""
    page.wait_for_function(f"() => {{ const uids = ({UIDS})(); return {condition}; }}")


def trace(page, panel: str, uid: str) -> dict:
    return page.evaluate(
        "([panel, uid]) => { const plot = document.querySelector(`[data-panel=${panel}] .plot`);"
        " const { x, y, line, opacity } = plot.data.find(trace => trace.uid === uid);"
        " return { x: [...x], y: [...y], line, opacity, title: plot._fullLayout.xaxis.title.text }; }",
        [panel, uid],
    )


def held(lane: int) -> list[float]:
    """Mean validation loss over the seeds at the end of each epoch, by the formula."""
    race = Race(2000)
    return [sum(race.held(step, lane, repeat) for repeat in range(4)) / 4 for step in range(100, 2001, 100)]


def test_each_lane_has_a_mean_line_in_a_band_with_its_own_colour_and_dash(shown) -> None:
    page = shown
    lines = [trace(page, "loss", f"{lane}.validation") for lane in range(8)]
    assert lines[5]["y"] == pytest.approx(held(5), rel=1e-6)
    assert lines[5]["x"] == list(range(100, 2001, 100))
    assert len({(line["line"]["color"], line["line"]["dash"]) for line in lines}) == 8
    assert trace(page, "score", "5.validation")["line"] == lines[5]["line"]
    assert page.locator("[data-panel=loss] .underlay").get_attribute("data-bands") == "8"
    low, high = (f(Race(2000).held(1700, 5, repeat) for repeat in range(4)) for f in (min, max))
    edge = 0.1 * (high - low)
    inside = page.evaluate(  # how opaque the canvas of the bands is at step 1700: twice within lane 5's band, and below all
        "places => { const panel = document.querySelector('[data-panel=loss]'), canvas = panel.querySelector('.underlay');"
        " const { xaxis, yaxis } = panel.querySelector('.plot')._fullLayout, ratio = canvas.width / canvas.clientWidth;"
        " const alpha = (x, y) => canvas.getContext('2d').getImageData(ratio * x, ratio * y, 1, 1).data[3];"
        " return places.map(y => alpha(xaxis._offset + xaxis.d2p(1700), yaxis._offset + yaxis.d2p(y))); }",
        [low + edge, high - edge, 0.12],
    )
    assert inside[0] > 20
    assert inside[1] > 20
    assert inside[2] == 0


def test_a_lane_that_joins_has_its_past_and_one_that_leaves_ends(shown) -> None:
    page = shown
    joined, removed = trace(page, "loss", "6.validation"), trace(page, "loss", "2.validation")
    assert joined["y"] == pytest.approx(held(6), rel=1e-6)
    assert [x for x, y in zip(removed["x"], removed["y"], strict=True) if y is not None] == list(range(100, REMOVED, 100))
    assert trace(page, "loss", "7.validation")["y"][:5] == pytest.approx(held(3)[:5], rel=1e-6)  # a fork of lane 3
    assert page.locator(".lane[data-lane='2'] .value").inner_text() == "removed"
    items = page.locator(f"{CURVES} .changes li").all_inner_texts()
    steps = [int(re.search(r"step (\d+)", item)[1]) for item in items]
    assert steps == [CHANGED, SWAPPED, JOINED, FORKED, REMOVED]
    assert items[0] == "step 250: SGD, lr 0.1: learning rate: 0.1 to 0.05"
    assert items[3] == "step 550: Adam, lr 0.0005: forked from Adam, lr 0.001"


def test_mute_hides_a_lane_in_all_panels_and_its_surface(page, components_server: str) -> None:
    watching(page, components_server)
    until(page, "Object.values(uids).every(list => list.includes('3.validation'))")
    button = page.get_by_role("button", name="Show Adam, lr 0.001")
    button.focus()
    page.keyboard.press("Enter")
    until(page, "Object.values(uids).every(list => list.length > 6 && !list.some(uid => uid.startsWith('3.')))")
    assert button.get_attribute("aria-pressed") == "false"
    page.wait_for_function("() => document.querySelectorAll('.lw-boundary .tile').length === 7")
    assert page.locator(".lw-boundary .tile[data-lane='3']").count() == 0
    page.get_by_role("button", name="Show all alike").click()
    until(page, "Object.values(uids).every(list => list.includes('3.validation'))")
    page.wait_for_function("() => document.querySelectorAll('.lw-boundary .tile').length === 8")


def test_a_script_may_mute_lanes_too(page, components_server: str) -> None:
    watching(page, components_server)
    detail = "{ run: 'race-done-1', muted: [0, 1], pinned: [5] }"
    page.evaluate(f"() => dispatchEvent(new CustomEvent('layerwise:lanes', {{ detail: {detail} }}))")
    until(page, "!uids.loss.some(uid => uid.startsWith('0.') || uid.startsWith('1.')) && uids.loss.length > 5")
    assert page.get_by_role("button", name="Show SGD, lr 0.1").get_attribute("aria-pressed") == "false"
    assert page.get_by_role("button", name="Highlight Lion, lr 0.0003").get_attribute("aria-pressed") == "true"


def test_a_pinned_lane_stands_out_everywhere(page, components_server: str) -> None:
    watching(page, components_server)
    page.get_by_role("button", name="Highlight Lion, lr 0.0003").click()
    page.wait_for_function(f"() => {PLOTS}.every(plot => plot.data.find(trace => trace.uid === '0.validation').opacity < 0.5)")
    assert trace(page, "score", "5.validation")["opacity"] == 1
    page.wait_for_function("() => document.querySelectorAll('.lw-boundary .tile.faded').length === 7")
    assert serious_findings(page) == []


def test_the_x_axis_has_every_unit(page, components_server: str) -> None:
    watching(page, components_server)
    units = {
        "epochs": ("epoch", 20.0),
        "examples": ("training examples seen", 128_000.0),
        "seconds": ("training time (s)", 5.0),
    }
    for unit, (title, last) in units.items():
        page.get_by_label("x axis").select_option(unit)
        page.wait_for_function(f"() => {PLOTS}.every(plot => plot._fullLayout.xaxis.title.text === '{title}')")
        assert trace(page, "loss", "0.validation")["x"][-1] == pytest.approx(last, rel=1e-6)
        assert page.get_by_text("Lanes that are trained together share it").is_visible() == (unit == "seconds")
    page.get_by_label("Log x").check()
    page.wait_for_function(f"() => {PLOTS}.every(plot => plot._fullLayout.xaxis.type === 'log')")
    assert trace(page, "loss", "0.validation")["x"][-1] == pytest.approx(5.0, rel=1e-6)


def test_panels_are_chosen_and_remembered(page, components_server: str) -> None:
    watching(page, components_server)
    page.locator("summary", has_text="Panels").click()
    for name in MEASURED:
        page.get_by_label(name, exact=True).check()
    page.keyboard.press("Escape")
    until(page, "Object.keys(uids).length === 6 && Object.values(uids).every(list => list.length > 6)")
    update, gradient, effective = (trace(page, name, "4.always") for name in ("update", "gradient", "effective"))
    assert update["y"] == pytest.approx([0.053] * len(update["y"]), rel=1e-6)
    assert gradient["x"][-1] == effective["x"][-1] == 2000
    watching(page, components_server, "race-done-2")
    until(page, "Object.keys(uids).length === 6")


def test_batches_can_be_shown_with_what_was_measured_behind_them(page, components_server: str) -> None:
    watching(page, components_server)
    page.locator("button[data-kind=batches]").click()
    until(page, "uids.loss.includes('0.batches') && uids.score.includes('0.batches')")
    page.get_by_label("Smoothing").focus()
    page.keyboard.press("Home")
    at = "document.querySelector('[data-panel=loss] .plot').data.find(trace => trace.uid === '6.batches')"
    race = Race(2000)
    first = sum(race.loss(1, 6, repeat) for repeat in range(4)) / 4
    page.wait_for_function(f"() => Math.abs({at}.y.find(value => value !== null) - {first}) < 1e-5")


def test_the_run_is_played_again_from_its_start(page, components_server: str) -> None:
    watching(page, components_server)
    before = page.evaluate(f"() => {PLOTS}.map(plot => plot._fullLayout.yaxis.range.map(value => value.toFixed(4)).join())")
    slider = page.get_by_label("Moment of the run")
    slider.fill("1000")
    ends = "plot.data.filter(trace => trace.uid.endsWith('validation')).map(trace => trace.x.at(-1))"
    longest = f"Math.max(...{PLOTS}.flatMap(plot => {ends}))"
    page.wait_for_function(f"() => {longest} === 1000")
    cursors = page.evaluate(f"() => {PLOTS}.map(plot => plot._fullLayout.shapes.at(-1).x0)")
    assert cursors == [1000, 1000]
    assert page.evaluate(f"() => {PLOTS}.map(plot => plot._fullLayout.xaxis.range[1])") == [2000, 2000]
    after = page.evaluate(f"() => {PLOTS}.map(plot => plot._fullLayout.yaxis.range.map(value => value.toFixed(4)).join())")
    assert after == before
    assert page.locator(".lane[data-lane='5'] .value").inner_text() == f"{held(5)[9]:.3g}"
    page.get_by_role("button", name="Replay", exact=True).click()
    page.wait_for_function("() => +document.querySelector('.lw-live-curves .replay input').value > 1100")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="To the end").click()
    page.wait_for_function(f"() => {longest} === 2000")


def test_the_table_holds_every_series_with_all_that_was_measured(shown, tmp_path: Path) -> None:
    page = shown
    with page.expect_download() as download:
        page.locator(CURVES).get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "run.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "run.csv").read_text())))
    assert len(rows) == 8 * 4 * 2000
    row = next(row for row in rows if row["lane"] == "NAdam, lr 0.002" and row["seed"] == "2" and row["step"] == "400")
    race = Race(2000)
    assert float(row["batch_loss"]) == pytest.approx(race.loss(400, 6, 1), rel=1e-6)
    assert float(row["validation_loss"]) == pytest.approx(race.held(400, 6, 1), rel=1e-6)
    assert float(row["seconds"]) == pytest.approx(1.0)
    last = next(row for row in rows if row["series"] == "AdamW, lr 0.001, seed 1" and row["step"] == "1900")
    measured = {"update_norm": 0.05, "gradient_norm": 2 * 2.718281828 ** (-1900 / 2000) / 5, "weight_norm": 15.9}
    assert {name: float(last[name]) for name in measured} == pytest.approx(measured, rel=1e-6)
    assert float(last["effective_rate"]) == pytest.approx(measured["update_norm"] / measured["gradient_norm"], rel=1e-6)


def test_all_surfaces_are_read_at_one_place_from_the_keyboard(shown) -> None:
    page = shown
    tiles = page.get_by_role("group", name=re.compile("Decision surfaces of all lanes"))
    tiles.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".lw-boundary output").get_by_text("x1 0.25, x2 0.00").wait_for()
    values = page.locator(".lw-boundary .tile .value").all_inner_texts()
    assert len(values) == 8
    assert all(re.fullmatch(r"[01]\.\d\d", value) for value in values)
    alt = page.locator(".lw-boundary .tile canvas").nth(1).get_attribute("aria-label")
    assert alt == "Decision surface of SGD with momentum, lr 0.05 on the plane, 200 points, step 2,000."


def test_one_lane_with_seeds_looks_like_a_plain_run_with_bands(page, components_server: str) -> None:
    watching(page, components_server, "race-seeds-1")
    until(page, "['0.batches', '0.train', '0.validation', 'best'].every(uid => uids.loss.includes(uid))")
    assert trace(page, "loss", "0.validation")["line"]["dash"] == "dash"
    assert page.locator("[data-panel=loss] .underlay").get_attribute("data-bands") == "3"
    assert page.get_by_role("group", name="Lanes of the race").is_hidden()
    assert page.get_by_text("4 seeds").is_visible()
    shown = page.locator(".lw-boundary select")
    assert shown.is_visible()


def test_thirty_two_lanes_with_sixteen_seeds_do_not_break(page, components_server: str) -> None:
    watching(page, components_server, "race-huge-1", 300)
    page.wait_for_function("() => document.querySelectorAll('.lw-boundary .tile').length === 32")
    styles = {tuple(trace(page, "loss", f"{lane}.validation")["line"].values()) for lane in range(32)}
    assert len(styles) == 32
    points = page.evaluate(f"() => {PLOTS}.map(plot => plot.data.reduce((n, trace) => n + trace.x.length, 0))")
    assert all(n < 20_000 for n in points)
    box = page.locator(f"{CURVES} .lanes").bounding_box()
    assert box["height"] < 250


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1024)])
def test_a_race_while_it_trains_is_sound_and_does_not_move_the_page(
    browser, components_server: str, scheme: str, width: int
) -> None:
    page, wrong = watched_page(browser, color_scheme=scheme)
    watching(page, components_server, f"race-live-{scheme}", 800)
    page.set_viewport_size({"width": width, "height": 2400})
    for lane, past in ((6, held(6)), (7, held(3)[:5])):  # one that joined before the eyes of this page, and a fork
        assert trace(page, "loss", f"{lane}.validation")["y"][: len(past[:5])] == pytest.approx(past[:5], rel=1e-6)
    top = page.locator(".lw-boundary").bounding_box()["y"]
    updates = int(page.locator(CURVES).get_attribute("data-updates"))
    page.wait_for_function(f"() => +document.querySelector('{CURVES}').dataset.updates >= {updates + 10}")
    assert page.locator(".lw-boundary").bounding_box()["y"] == top
    assert serious_findings(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    label = page.locator("[data-panel=loss] [role=figure]").get_attribute("aria-label")
    assert re.search(r"Loss by step for 32 series\. Step [\d,]+: SGD, lr 0\.1 \d", label)
    page.context.close()
    assert not wrong
