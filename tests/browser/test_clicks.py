"""Clicks that come faster than a page is drawn."""

from pathlib import Path

import pytest

from tests.browser.conftest import serving, settled

pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent
TIMES = 15
PRESS_BOTH = """() => [...document.querySelectorAll('[data-testid=stMain] button')]
    .forEach((button, i) => setTimeout(() => button.click(), 12 * i))"""
"""The second one while the callback of the first is at work, which takes 20 ms."""


@pytest.mark.fault(135)
def test_of_two_quick_clicks_none_is_lost(page, tmp_path):
    with serving(HERE / "clicks_server.py", tmp_path) as address:
        page.goto(address)
        page.get_by_text("Pressed: 0, 0").wait_for()
        for n in range(1, TIMES + 1):
            page.evaluate(PRESS_BOTH)
            page.get_by_text(f"Pressed: {n}, {n}").wait_for(timeout=10_000)
        settled(page)
        assert page.get_by_text(f"Pressed: {TIMES}, {TIMES}").count() == 1
