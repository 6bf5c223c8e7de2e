"""The report in a real Chromium with the network off: it draws, prints, follows the theme, and runs nothing of strangers."""

from pathlib import Path

import pytest

from dashboard.widgets.report import report_html
from tests.browser.conftest import serious_findings, watched_page
from tests.dashboard.widgets.report_facts import EVIL, classes, numbers

pytestmark = pytest.mark.browser
DRAWN = (
    "() => document.querySelectorAll('.chart .main-svg').length >= {n} && document.querySelectorAll('.chart').length === {n}"
)


def opened(browser, path: Path, html: bytes, n: int, **options):
    path.write_bytes(html)
    page, wrong = watched_page(browser, offline=True, **options)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(DRAWN.replace("{n}", str(n)), timeout=30_000)
    return page, wrong, asked


def test_it_opens_offline_without_an_error_and_asks_for_nothing(browser, tmp_path):
    page, wrong, asked = opened(browser, tmp_path / "r.html", report_html(classes()), 4)
    assert page.evaluate("window.hit") is None
    assert page.get_by_role("heading", level=1).inner_text() == EVIL
    colour = "() => document.querySelector('.chart .xtick text').style.fill"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => ({colour})() !== light", arg=light, timeout=10_000)
    assert len(page.pdf()) > 20_000
    assert serious_findings(page) == []
    assert wrong == []
    assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == []
    page.context.close()


def test_a_script_that_slipped_in_would_not_run(browser, tmp_path):
    html = report_html(numbers()).replace(b"<main>", b"<main><script>window.hit = 1</script><img src=x onerror='window.hit=1'>")
    page, wrong, _ = opened(browser, tmp_path / "r.html", html, 4)
    assert page.evaluate("window.hit") is None
    assert any("Content Security Policy" in one for one in wrong)
    page.context.close()
