"""Names and links of strangers in the real browser: nothing of theirs runs, no request leaves, each answer has its headers."""

import csv
import io
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from core.experiment.codec import from_link_text, link_text
from core.experiment.experiment import Budget
from dashboard.components import shared
from dashboard.security import HEADERS
from tests.browser.conftest import settled
from tests.browser.test_data_and_build import WAIT_MS, opened, sentence, upload
from tests.browser.test_tour import open_screen, train, wait_for_data
from tests.faults.hostile import NAMES

pytestmark = [pytest.mark.browser, pytest.mark.slow_fault]

SHOWN = ("script", "image", "link", "formula")
SCREENS = {
    "Data": ("training, 7 validation",),
    "Build": ("Linear",),
    "Race": ("Lane",),
    "Inspect": ("Prediction",),
    "Explain": ("base value",),
    "Evaluate": ("Accuracy", "Errors"),
    "Runs": ("Own table", "Tree and fork"),
    "Compress": ("Compress",),
    "Export": ("Report",),
}
"""Words that are there once a screen has all that it shows, and its further parts."""
FORMULAS = [NAMES["formula"], "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", '="a",b']
FOREIGN = "img[src='x'], a[href^='javascript'], [src*='evil.example'], [href*='evil.example']"


def table() -> bytes:
    """A table whose columns and classes are called as an attacker would."""
    names = [NAMES[name] for name in SHOWN]
    rows = [(names[0], names[1], "class"), *[(i % 7, i % 5, names[i % 4]) for i in range(48)]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def watch(page) -> tuple[list[str], list[str]]:
    """Addresses that were asked for, and answers without the headers of security."""
    asked, bare = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(re.sub("^ws", "http", socket.url)))

    def look(response) -> None:
        if response.url.startswith("http"):
            missing = [name for name, value in HEADERS.items() if response.headers.get(name) != value]
            if missing:
                bare.append(f"{response.url}: {missing}")

    page.on("response", look)
    return asked, bare


def check_harmless(page) -> None:
    assert page.evaluate("() => window.hit === undefined")
    assert page.locator(FOREIGN).count() == 0


def check_files(page, screen: str) -> None:
    """No formula leaves: not by the own button of a table, which does not stop them, nor by what the page writes."""
    if screen == "Data":
        page.get_by_test_id("stDataFrame").first.hover()
        page.locator("[aria-label='Download as CSV']").first.wait_for(state="attached")
        assert page.get_by_role("button", name="Download as CSV").count() == 0
        assert page.get_by_role("button", name="Fullscreen").first.is_visible()
        script = f"{shared.PREFIX}/{shared.version()}/dom.js"
        cells = page.evaluate("async ([script, texts]) => texts.map((await import(script)).quoted)", [script, FORMULAS])
        assert [next(csv.reader([cell])) for cell in cells] == [[f"'{text}"] for text in FORMULAS]


@pytest.mark.fault(25)
@pytest.mark.fault(27)
@pytest.mark.fault(29)
@pytest.mark.fault(115)
@pytest.mark.fault(117)
@pytest.mark.fault(126)
@pytest.mark.fault(127)
def test_hostile_names_go_through_all_screens_as_letters_and_nothing_leaves_the_server(page, server):
    asked, bare = watch(page)
    opened(page, server, "data")
    upload(page, "<img src=x onerror=window.hit=1>.csv", table())
    page.get_by_role("button", name="Use this data").click(timeout=WAIT_MS)
    sentence(page, "Own table")
    check_harmless(page)
    settled(page)
    experiment = from_link_text(parse_qs(urlsplit(page.url).query)["x"][0])
    (lane,) = experiment.lanes
    lanes = tuple(lane.but(name=NAMES[name][:40]) for name in SHOWN[:2])
    changed = experiment.but(lanes=lanes, budget=Budget(epochs=3))
    page.goto(f"{server}/?x={quote(link_text(changed))}")
    page.get_by_role("button", name="Share").wait_for()
    settled(page)
    train(page)
    wait_for_data(page, "data.state === 'finished'")
    seen = ""
    for screen, (sign, *parts) in SCREENS.items():
        open_screen(page, screen)
        page.wait_for_url(re.compile(rf"/{screen.lower()}\?"))
        page.get_by_test_id("stMain").get_by_text(re.compile(sign)).locator("visible=true").first.wait_for(timeout=WAIT_MS)
        page.get_by_text(re.compile("^Computing")).first.wait_for(state="hidden", timeout=WAIT_MS)
        for part in (None, *parts):
            if part:
                page.get_by_role("radio", name=part, exact=True).click()
                settled(page)
            seen += page.get_by_test_id("stMain").inner_text()
            check_harmless(page)
        check_files(page, screen)
    assert NAMES["script"] in seen
    assert "Traceback" not in seen
    origin = urlsplit(server).netloc
    assert [url for url in asked if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != origin] == []
    assert len(asked) > 30
    assert bare == []


@pytest.mark.fault(109)
@pytest.mark.parametrize(
    "query",
    [
        "x=lw1.garbage&run=../../etc/passwd&room=<script>window.hit=1</script>&hide=javascript:1&view=%00",
        "x=" + "A" * 9000,
        f"run={'f' * 32}&room=2222-2222-2222&x=lw2.x&x=lw1.y&hide=",
    ],
)
def test_garbage_in_the_address_opens_the_page_with_a_sentence(page, server, query):
    page.goto(f"{server}/?{query}")
    page.get_by_role("button", name="Share").wait_for()
    settled(page)
    page.get_by_text(re.compile("This link|The run of this link")).first.wait_for()
    check_harmless(page)
    assert "Traceback" not in page.get_by_test_id("stMain").inner_text()
