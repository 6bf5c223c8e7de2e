import csv
import io
import re
from pathlib import Path

import pytest

from dashboard.components.shared import loader
from tests.browser.conftest import serious_findings, settled, watched_page

pytestmark = pytest.mark.browser

CURVES = ".lw-live-curves"
RANGE = f"() => document.querySelector('{CURVES} .js-plotly-plot')._fullLayout.xaxis.range.map(Math.round)"


def value(page, name: str, root: str = CURVES) -> str:
    return page.locator(root).get_attribute(f"data-{name}")


def watching(page, address: str, run: str, step: int = 200) -> None:
    page.goto(f"{address}/?run={run}")
    settled(page)
    page.wait_for_function(f"() => +document.querySelector('{CURVES}')?.dataset.step > {step}")
    page.locator(f"{CURVES} .js-plotly-plot").nth(1).wait_for()


def test_ten_live_updates_without_a_remount(page, components_server: str) -> None:
    watching(page, components_server, "browser-live-1")
    page.evaluate(f"() => {{ document.querySelector('{CURVES} .js-plotly-plot').mark = 1 }}")
    mount, updates = value(page, "mount"), int(value(page, "updates"))
    page.wait_for_function(f"() => +document.querySelector('{CURVES}').dataset.updates >= {updates + 10}")
    assert value(page, "mount") == mount
    assert page.evaluate(f"() => document.querySelector('{CURVES} .js-plotly-plot').mark") == 1
    drawn = page.evaluate(f"() => document.querySelector('{CURVES} .js-plotly-plot').data.map(trace => trace.x.length)")
    assert all(0 < n <= 620 for n in drawn)
    assert page.get_by_text(re.compile(r"epoch \d+ / 200")).is_visible()
    assert re.search(r"training [\d.]+, validation", page.get_by_role("figure").first.get_attribute("aria-label"))


def test_zoom_survives_updates_and_is_undone_by_its_button(page, components_server: str) -> None:
    watching(page, components_server, "browser-live-1", 600)
    box = page.locator(f"{CURVES} .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 160, steps=5)
    page.mouse.up()
    reset = page.get_by_role("button", name="Reset zoom")
    page.wait_for_function(f"() => !document.querySelector('{CURVES} .js-plotly-plot')._fullLayout.xaxis.autorange")
    zoomed, updates = page.evaluate(RANGE), int(value(page, "updates"))
    page.wait_for_function(f"() => +document.querySelector('{CURVES}').dataset.updates >= {updates + 5}")
    assert page.evaluate(RANGE) == zoomed
    reset.click()
    page.wait_for_function(f"() => document.querySelector('{CURVES} .js-plotly-plot')._fullLayout.xaxis.autorange")
    assert reset.is_disabled()


def test_scales_and_smoothing_are_set_from_the_keyboard(page, components_server: str) -> None:
    watching(page, components_server, "browser-live-1")
    layout = f"document.querySelector('{CURVES} .js-plotly-plot')._fullLayout"
    axes = f"() => [{layout}.yaxis.type, {layout}.xaxis.title.text]"
    assert page.evaluate(axes) == ["linear", "step"]
    page.get_by_label("Log y").focus()
    page.keyboard.press("Space")
    page.get_by_label("x axis").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"({axes})().join() === 'log,epoch'")
    page.get_by_label("Smoothing").focus()
    page.keyboard.press("Home")
    drawn = f"document.querySelector('{CURVES} .js-plotly-plot').data.map(trace => trace.uid)"
    page.wait_for_function(f"() => !{drawn}.includes('0.raw')")
    page.keyboard.press("End")
    page.wait_for_function(f"() => {drawn}.includes('0.raw')")


def test_the_table_holds_every_step(page, components_server: str, tmp_path: Path) -> None:
    watching(page, components_server, "browser-live-1", 300)
    with page.expect_download() as download:
        page.locator(CURVES).get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "run.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "run.csv").read_text())))
    assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["batch_loss"] for row in rows)
    (epoch,) = (row for row in rows if row["epoch"] == "1")
    assert float(epoch["validation_loss"]) == pytest.approx(2.3 * 2.718281828 ** (-200 / 4000) + 0.2, rel=1e-6)


def test_one_socket_serves_both_and_a_lost_one_is_taken_up_again(page, components_server: str) -> None:
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url) if "/live" in socket.url else None)
    watching(page, components_server, "browser-live-2")
    assert len(sockets) == 1
    page.evaluate(  # what a blip of the network does
        "async () => { const loaded = performance.getEntriesByType('resource').map(entry => entry.name);"
        " const { subscribe } = await import(loaded.find(name => name.endsWith('/live_feed.js')));"
        " subscribe('browser-live-2', () => {}).feed.socket.close(4000); }"
    )
    step = int(value(page, "step"))
    page.wait_for_function(f"() => +document.querySelector('{CURVES}').dataset.step > {step + 200}")
    assert len(sockets) == 2
    assert re.search(r"since=[1-9]\d*&generation=0", sockets[1])


def test_a_failure_is_told_in_its_place_and_the_page_hears_of_it(page, components_server: str) -> None:
    page.goto(f"{components_server}/?run=failing-run-1")
    page.get_by_role("alert").get_by_text("Lower the learning rate").wait_for()
    page.get_by_text("States: running, failed").wait_for()
    assert value(page, "state") == "failed"


def test_an_unknown_run_is_told(page, components_server: str) -> None:
    page.goto(f"{components_server}/?run=unknown-run-1")
    page.get_by_text("This run is not there any more.").wait_for()


def test_the_plane_is_read_from_the_keyboard(page, components_server: str) -> None:
    watching(page, components_server, "browser-live-1")
    page.wait_for_function("() => +document.querySelector('.lw-boundary').dataset.step > 0")
    plane = page.locator(".lw-boundary canvas")
    plane.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.locator(".lw-boundary output").get_by_text(re.compile(r"x1 0\.25, x2 0\.25, p [01]\.\d\d")).wait_for()
    assert "Decision surface" in plane.get_attribute("aria-label")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1024)])
def test_nothing_overlaps_or_is_hard_to_read(browser, components_server: str, scheme: str, width: int) -> None:
    page, wrong = watched_page(browser, viewport={"width": width, "height": 1400}, color_scheme=scheme)
    watching(page, components_server, "browser-live-1")
    assert serious_findings(page) == []
    boxes = [box.bounding_box() for box in page.locator(f"{CURVES} .panel").all()]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] or boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    colour = page.evaluate(f"() => document.querySelector('{CURVES} .js-plotly-plot')._fullLayout.font.color")
    assert colour.lower() == {"light": "#111418", "dark": "#e9edf2"}[scheme]
    page.context.close()
    assert not wrong


def test_the_page_may_open_sockets_to_its_own_server_only(browser, components_server: str) -> None:
    """What live charts need is allowed; a stranger is not reached."""
    page, wrong = watched_page(browser)
    watching(page, components_server, "browser-live-1")
    refused = page.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
          try { new WebSocket("ws://127.0.0.1:9/"); } catch (error) { resolve(error.name); }
          setTimeout(() => resolve("allowed"), 3000);
        })"""
    )
    page.context.close()
    assert refused in ("connect-src", "SecurityError")
    assert ["ws://127.0.0.1:9/" in one for one in wrong] == [True]


LATE = """async (loader) => {
  const script = URL.createObjectURL(new Blob([loader], { type: "text/javascript" }));
  const { default: call } = await import(script);
  const place = document.createElement("div");
  window.shown = [];
  await Promise.all(["old", "new"].map((data) => call({ parentElement: place, data })));
  return window.shown;
}"""


def test_old_data_is_never_shown_after_new(page, components_server: str) -> None:
    """While a component's script is still on its way, more data may come; Chromium ends such imports in either order."""
    page.goto(components_server)
    settled(page)
    address = re.compile(r"/layerwise/\w+/live_curves\.js\?late$")
    script = "export default ({ data }) => window.shown.push(data);"
    page.route(address, lambda route: route.fulfill(body=script, content_type="text/javascript"))
    assert page.evaluate(LATE, loader("live_curves").replace("live_curves.js", "live_curves.js?late")) == ["new", "new"]
