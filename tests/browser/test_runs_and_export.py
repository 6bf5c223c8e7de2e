"""A run is forked and stands in the tree; a run leaves as a bundle and comes back from it; its script proves its curve."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.experiment.codec import link_text
from core.experiment.experiment import Budget
from tests.browser.conftest import serious_findings, settled, watched_page
from tests.browser.test_inspect_explain import section
from tests.browser.test_tour import CURVES, data, open_screen, train, wait_for_data
from tests.core.samples import spiral

pytestmark = pytest.mark.browser

WAIT_MS = 60_000
TREE = ".lw-run-tree"


def trained_page(page, address: str, seed: int) -> None:
    """A page with a short run of the spiral that is over."""
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/?x={link_text(spiral(seed=seed, budget=Budget(epochs=6)))}")
    settled(page)
    train(page)
    wait_for_data(page, "data.state === 'finished'")
    settled(page)


@pytest.fixture(scope="module")
def trained(browser, server: str):
    """The address of such a run, and what the browser of its owner keeps."""
    page, wrong = watched_page(browser)
    trained_page(page, server, 7)
    address, kept = page.url, page.context.storage_state()
    page.context.close()
    assert not wrong, wrong
    return address, kept


@pytest.fixture
def finished(browser, trained: tuple[str, dict]) -> Iterator:
    """A page on which its owner looks at it."""
    address, kept = trained
    page, wrong = watched_page(browser, storage_state=kept)
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    wait_for_data(page, "data.state === 'finished'")
    settled(page)
    yield page
    page.context.close()
    assert not wrong, wrong


def test_a_run_is_forked_and_the_tree_shows_both(finished):
    page, parent = finished, run_of(finished)
    open_screen(page, "Runs")
    section(page, "Tree and fork")
    page.get_by_text("Nothing was forked yet").wait_for()
    page.get_by_role("button", name="Fork this run").click()
    wait_for_data(page, "data.state === 'finished'")
    settled(page)
    fork = run_of(page)
    assert fork != parent
    page.get_by_text(re.compile(rf"from run {parent[:6]}, step \d+")).first.wait_for()
    open_screen(page, "Runs")
    section(page, "Tree and fork")
    rows = page.locator(f"{TREE} [role=treeitem]")
    rows.nth(1).wait_for()
    words = rows.all_inner_texts()
    assert any(parent[:6] in row for row in words)
    assert any(fork[:6] in row and "forked at step" in row for row in words)
    assert serious_findings(page) == []


def test_a_bundle_is_downloaded_and_gives_the_run_back(finished, tmp_path: Path):
    page, original, step = finished, run_of(finished), data(finished, "step")
    open_screen(page, "Export")
    section(page, "Report and bundle")
    page.get_by_role("button", name="Pack the bundle").click()
    button = page.get_by_role("button", name=re.compile(r"Download bundle-"))
    button.wait_for()
    settled(page)
    with page.expect_download() as download:
        button.click()
    bundle = tmp_path / download.value.suggested_filename
    bundle.write_bytes(Path(download.value.path()).read_bytes())
    section(page, "Import")
    page.locator("input[type=file]").set_input_files(bundle)
    page.get_by_role("button", name="Import this run").click()
    page.wait_for_function(f"() => !location.search.includes('{original}')")
    wait_for_data(page, f"data.state === 'finished' && data.step === '{step}'")
    page.locator(f"{CURVES} .js-plotly-plot").first.wait_for()


def test_the_script_runs_alone_and_makes_the_same_curve(finished):
    page = finished
    open_screen(page, "Export")
    page.get_by_role("button", name="Run it and compare").click()
    page.get_by_text(re.compile(r"(Proven: all|All) [\d,]+ losses")).wait_for()
    page.get_by_text(re.compile(r"The script took [\d.]+ s, with Python")).wait_for()
    settled(page)
    assert serious_findings(page) == []


def run_of(page) -> str:
    """The id of the run in the address."""
    return re.search(r"run=([0-9a-f]{32})", page.url)[1]
