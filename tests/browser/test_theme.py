"""The charts follow the theme while a run goes on: same chart, other colours."""

import re

import pytest

from tests.browser.conftest import settled

pytestmark = pytest.mark.browser

LINE = "() => document.querySelector('.lw-live-curves .js-plotly-plot')?.data?.[2]?.line.color"
MOUNT = "() => document.querySelector('.lw-live-curves').dataset.mount"


def test_lines_become_lighter_on_a_dark_page_without_a_remount(page, server):
    page.goto(server)
    settled(page)
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Train$")).click()
    page.wait_for_function("() => +document.querySelector('.lw-live-curves')?.dataset.step > 100")
    page.get_by_text(re.compile(r"gradient norm [\d.]")).wait_for()
    page.wait_for_function(f"() => ({LINE})() === '#0072B2'")
    mount = page.evaluate(MOUNT)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => ({LINE})() === '#56B4E9'")
    assert page.evaluate(MOUNT) == mount
    page.get_by_role("button", name=re.compile("Stop")).click()
    page.wait_for_function("() => document.querySelector('.lw-live-curves').dataset.state === 'stopped'")
