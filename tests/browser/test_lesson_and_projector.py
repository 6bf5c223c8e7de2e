"""A lesson's link, the projector's view and the board of a room, in the browser: what AppTest cannot see."""

import re
from pathlib import Path

import pytest

from core.store.rooms import Member, Room
from dashboard.components import shared
from tests.browser.conftest import ROOT, serving, settled
from tests.core.samples import spiral
from tests.dashboard.store_client import StoreClient
from tests.dashboard.stream.test_board import said

pytestmark = pytest.mark.browser

ROOM = "abcd-efgh-jkmn"
HOSTILE = "=1+1<img src=x onerror=alert(1)>"
BOARD = ".lw-room-board"
CHART = f"document.querySelector('{BOARD} .js-plotly-plot')"
WIDER = "() => { const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth; }"


@pytest.fixture(scope="module")
def room_server(tmp_path_factory):
    """The dashboard over a store in which three have trained in a room, and the last of their runs."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "home").mkdir()
    client = StoreClient(folder / "home")
    runs = [client.put(spiral(lr=lr), said(200, loss)) for lr, loss in ((0.001, 3.0), (0.1, 1.0), (0.01, 2.0))]
    client._writer.begin()
    client._writer.open_room(Room(ROOM, "f" * 32, "Rates", 0, "{}", 2e9, 2e9))
    for i, (name, run) in enumerate(zip(("Ada", HOSTILE, "Guest 3"), runs, strict=True)):
        client._writer.put_member(Member(ROOM, f"{i:032x}", name, run, float(i)))
    client._writer.commit()
    client.close()
    with serving(ROOT / "dashboard/server.py", folder) as address:
        yield address, runs[-1]


def names(page) -> list[str]:
    return page.locator(f"{BOARD} tbody tr:has(td.lr:not(:text('–'))) .name").all_inner_texts()


@pytest.mark.fault(105)
def test_the_board_sorts_highlights_saves_and_opens_a_participants_run(page, room_server):
    address, run = room_server
    page.goto(f"{address}/room?room={ROOM}")
    settled(page)
    page.locator(f"{BOARD} .js-plotly-plot .trace").nth(2).wait_for()
    assert names(page) == ["Ada", "Guest 3", HOSTILE], "by learning rate at first"
    page.get_by_role("button", name="Best accuracy").click()
    page.wait_for_function(f"() => document.querySelector('{BOARD} th.best_validation_accuracy').ariaSort === 'descending'")
    page.get_by_role("button", name="Participant").click()
    assert names(page) == [HOSTILE, "Ada", "Guest 3"]
    page.get_by_role("button", name=HOSTILE).focus()
    page.wait_for_function(f"() => {CHART}.data.filter((trace) => trace.opacity < 1).length === 2")
    page.get_by_role("button", name="Last value by learning rate").click()
    page.wait_for_function(f"() => {CHART}.layout.xaxis.type === 'log'")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0].startswith("participant,run,state")
    assert [line for line in lines if line.startswith("\"'=1+1<img")], "no formula, and letters alone"
    page.get_by_role("button", name="Guest 3").press("Enter")
    page.wait_for_url(re.compile(f"run={run}"))
    page.wait_for_function("() => document.querySelector('.lw-live-curves')?.dataset.state === 'finished'")


def test_a_projector_is_large_clear_and_driven_by_keys(browser, room_server):
    from axe_playwright_python.sync_playwright import Axe

    from tests.browser.conftest import watched_page

    address, run = room_server
    page, wrong = watched_page(browser, viewport={"width": 1024, "height": 768}, color_scheme="dark")
    page.goto(f"{address}/?view=projector&run={run}")
    settled(page)
    page.locator(".lw-live-curves .js-plotly-plot .xtick text").first.wait_for()
    size = "(e) => parseFloat(getComputedStyle(e).fontSize)"
    assert page.get_by_role("button", name=re.compile("Train$")).locator("p").first.evaluate(size) >= 20
    assert page.locator(".lw-live-curves .xtick text").first.evaluate(size) >= 18
    assert page.evaluate(WIDER) <= 1
    rule = "color-contrast-enhanced"
    found = (
        Axe().run(page, options={"runOnly": {"type": "rule", "values": [rule]}, "rules": {rule: {"enabled": True}}}).response
    )
    assert found["passes"], "something was measured"
    assert [node["html"] for one in found["violations"] for node in one["nodes"]] == []
    dialog = page.locator(".lw-presenter-keys dialog")
    page.keyboard.press("?")
    assert "Pause the run" in dialog.inner_text()
    page.keyboard.press("?")
    page.wait_for_function("() => !document.querySelector('.lw-presenter-keys dialog').open")
    page.keyboard.press("n")
    page.wait_for_url(re.compile("/race.*view=projector"))
    settled(page)
    page.keyboard.press("b")
    page.wait_for_function("() => location.pathname === '/' && location.search.includes('view=projector')")
    settled(page)
    page.keyboard.press("Alt+P")
    page.wait_for_function("() => !location.search.includes('view=')")
    assert page.locator(".lw-presenter-keys").count() == 0
    page.context.close()
    assert not wrong, wrong


def test_a_lessons_link_outlives_a_change_of_screen_and_anybody_may_leave_it(page, room_server):
    address, _run = room_server
    page.goto(f"{address}/race?hide=data,runs,curves.controls,undo")
    settled(page)
    assert page.get_by_role("link", name="Data").count() == 0
    page.get_by_role("link", name="Build").click()
    page.wait_for_url(re.compile(r"/build.*hide=data"))
    settled(page)
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a lesson").click()
    form = page.get_by_role("dialog")
    form.get_by_text("Export", exact=True).click()
    form.locator("code", has_text="hide=data,runs,export,undo,curves.controls").wait_for()
    form.get_by_role("button", name="Try it here").click()
    page.wait_for_function("() => ![...document.querySelectorAll('a')].some((a) => a.textContent.includes('Export'))")
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_function("() => !location.search.includes('hide=')")
    page.get_by_role("link", name="Data").wait_for()


CEILING = """async ([path, firsts]) => {
  const { BoardData } = await import(path);
  const board = new BoardData();
  const members = firsts.map((first, i) => ({ run: `run${i}`, name: `${i}` }));
  board.take({ type: "board", members, n_members: members.length });
  firsts.forEach((first, i) => board.take({ type: "run", run: `run${i}`, steps_per_epoch: 1 }, {
    step: [1, 2], seconds: [1, 2], batch_loss: [first, first],
    epoch: [], epoch_step: [], epoch_seconds: [], figures: new Float64Array(0),
  }));
  return members.map((member) => board.hasDiverged(member, "batch_loss"));
}"""


def test_a_fork_of_a_trained_run_does_not_make_fresh_ones_look_diverged(page, room_server):
    address, _run = room_server
    page.goto(f"{address}/healthz")
    path = f"{shared.PREFIX}/{shared.version()}/board_data.js"
    assert page.evaluate(CEILING, [path, [3e-4, 0.69, 2.3]]) == [False, False, False]
    assert page.evaluate(CEILING, [path, [0.7, 2.3, 1e6]]) == [False, False, True]
