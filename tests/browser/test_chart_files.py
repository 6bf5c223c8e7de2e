"""Charts as files: what is saved is what is shown."""

import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import settled
from tests.browser.test_components_page import CURVES, watching
from tests.browser.test_tour import open_screen

pytestmark = pytest.mark.browser


def saved(page, name: str) -> tuple[str, bytes]:
    """Name and content of the file that a button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).first.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.fixture
def prediction(page, server: str):
    """The Inspect screen with the initial weights, once its first chart is drawn."""
    page.goto(server)
    settled(page)
    open_screen(page, "Inspect")
    page.locator(".js-plotly-plot .bars").first.wait_for(timeout=60_000)
    settled(page)
    return page


def test_the_table_of_a_chart_holds_the_numbers_that_are_drawn(prediction):
    name, content = saved(prediction, "Save this chart: CSV")
    assert name == "inspect-activations-prediction.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    drawn = prediction.evaluate("() => [...document.querySelector('.js-plotly-plot')._fullData[0].x]")
    assert [float(row["probability"]) for row in rows] == drawn
    assert sum(drawn) == pytest.approx(1)


def test_a_chart_is_saved_as_a_sharp_picture_and_as_a_drawing(prediction):
    width = prediction.evaluate("() => document.querySelector('.js-plotly-plot').clientWidth")
    name, picture = saved(prediction, "Save this chart: PNG")
    assert name.endswith(".png")
    assert Image.open(io.BytesIO(picture)).size[0] == 2 * width
    name, drawing = saved(prediction, "Save this chart: SVG")
    root = ElementTree.fromstring(drawing.decode())
    assert name.endswith(".svg")
    assert "probability" in "".join(root.itertext())


def test_live_curves_are_saved_with_a_legend(page, components_server: str):
    watching(page, components_server, "browser-live-1")
    name, drawing = saved(page, "Download the panels as SVG")
    words = "".join(ElementTree.fromstring(drawing.decode()).itertext())
    assert name == "run-browser-live-1-loss.svg"
    assert all(word in words for word in ("batches", "validation", "step"))
    assert page.locator(f"{CURVES} .js-plotly-plot").first.is_visible()
