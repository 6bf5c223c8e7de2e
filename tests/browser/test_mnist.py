"""The article's CNN on real MNIST, trained from the page."""

import re

import pytest

from tests.browser.conftest import ROOT, serving, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FINISH_MS = 300_000


def test_the_cnn_reaches_97_percent_after_one_epoch(mnist_folder, page, tmp_path):
    with serving(ROOT / "dashboard/server.py", tmp_path) as address:
        page.goto(address)
        settled(page)
        page.get_by_role("button", name=re.compile("Examples")).click()
        page.get_by_role("button", name="MNIST", exact=True).click()
        page.keyboard.press("Escape")
        settled(page)
        page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Train$")).click()
        page.wait_for_function(
            "() => ['finished', 'failed', 'interrupted'].includes(document.querySelector('.lw-live-curves')?.dataset.state)",
            timeout=FINISH_MS,
        )
        line = page.get_by_role("group", name="State of the run").inner_text()
        assert "epoch 1 / 1" in line
        (accuracy,) = re.findall(r"test accuracy ([\d.]+) %", line)
        assert float(accuracy) >= 97.5
        page.close()  # before its server is gone
