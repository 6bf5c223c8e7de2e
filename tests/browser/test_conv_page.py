"""A convolution in the real browser: its own sums are the layer's at every place, by mouse and by keyboard."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import serious_findings, serving, settled, watched_page
from tests.browser.conv_cases import CASES, field, parts

pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent
CONV, FIELD = ".lw-conv-arithmetic", ".lw-receptive-field"


@pytest.fixture(scope="module")
def conv_server(tmp_path_factory):
    with serving(HERE / "conv_server.py", tmp_path_factory.mktemp("conv")) as address:
        yield address


def opened(page, address: str, name: str = "plain"):
    page.goto(f"{address}?conv={name}")
    page.wait_for_selector(f"{CONV}[data-value]")
    page.wait_for_selector(f"{FIELD}[data-field]")
    settled(page)
    return page


def told(page, root: str) -> dict:
    return page.eval_on_selector(root, "element => ({ ...element.dataset })")


def point(page, root: str, rows: int, columns: int, row: int, column: int, *, press: bool = False) -> None:
    canvas = page.locator(f"{root} canvas[tabindex='0']")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    place = (box["x"] + box["width"] * (column + 0.5) / columns, box["y"] + box["height"] * (row + 0.5) / rows)
    page.mouse.move(*place)
    if press:
        page.mouse.down()
        page.mouse.up()


@pytest.mark.parametrize("name", CASES)
def test_the_browsers_own_sum_is_the_output_at_every_place_that_is_pointed_at(page, conv_server, name):
    opened(page, conv_server, name)
    expected = parts(name).output
    strongest = np.unravel_index(int(np.abs(expected).argmax()), expected.shape)
    start = told(page, CONV)
    assert (int(start["row"]), int(start["column"])) == strongest
    for row in range(expected.shape[0]):
        for column in {0, row % expected.shape[1], expected.shape[1] - 1}:
            point(page, CONV, *expected.shape, row, column)
            found = told(page, CONV)
            assert (int(found["row"]), int(found["column"])) == (row, column)
            assert float(found["value"]) == pytest.approx(float(expected[row, column]), abs=1e-4)
            assert float(found["output"]) == float(expected[row, column])


def test_products_and_partial_sums_follow_the_chosen_channel(page, conv_server):
    opened(page, conv_server, "strided")
    shown = parts("strided")
    point(page, CONV, *shown.output.shape, 2, 3)
    padded = np.pad(shown.inputs, ((0, 0), (2, 2), (2, 2)))
    page.get_by_role("radio", name=re.compile("channel 1")).click()
    page.get_by_text("Input channel 1 of 3").wait_for()
    patches = padded[:, 4:7, 6:9]
    cells = page.locator(f"{CONV} .grid").nth(2).locator("span").all_inner_texts()
    for text, product in zip(cells, (patches * shown.kernels)[1].ravel().tolist(), strict=True):
        assert float(text) == pytest.approx(product, abs=0.05 * max(0.1, abs(product)))
    sums = [text.replace("−", "-") for text in page.locator(f"{CONV} .sums .value").all_inner_texts()]
    assert [float(text) for text in sums] == pytest.approx((patches * shown.kernels).sum((1, 2)).tolist(), rel=0.01)
    page.keyboard.press("ArrowDown")
    page.get_by_text("Input channel 2 of 3").wait_for()


def test_the_kernel_slides_by_the_arrow_keys_and_stops_at_the_edges(page, conv_server):
    opened(page, conv_server)
    page.locator(f"{CONV} canvas[tabindex='0']").focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    assert (told(page, CONV)["row"], told(page, CONV)["column"]) == ("0", "0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert (told(page, CONV)["row"], told(page, CONV)["column"]) == ("2", "1")
    assert "Row 2, column 1" in page.locator(f"{CONV} .reading").inner_text()


def test_a_click_holds_the_place_until_the_next_one(page, conv_server):
    opened(page, conv_server)
    shape = parts("plain").output.shape
    point(page, CONV, *shape, 3, 4, press=True)
    point(page, CONV, *shape, 0, 0)
    assert (told(page, CONV)["row"], told(page, CONV)["column"]) == ("3", "4")
    point(page, CONV, *shape, 3, 4, press=True)
    point(page, CONV, *shape, 0, 0)
    assert (told(page, CONV)["row"], told(page, CONV)["column"]) == ("0", "0")


def test_the_frame_on_the_picture_is_the_field_of_the_place(page, conv_server):
    opened(page, conv_server)
    expected = field()
    for row, column in ((0, 0), (3, 2), (7, 5)):
        point(page, FIELD, 8, 6, row, column)
        assert told(page, FIELD)["field"] == " ".join(map(str, [*expected.rows[row], *expected.columns[column]]))
    (top, bottom), (left, right) = expected.rows[7], expected.columns[5]
    picture, frame = (page.locator(f"{FIELD} {name}").bounding_box() for name in ("img", ".map:has(img) .mark"))
    assert frame["y"] - picture["y"] == pytest.approx(picture["height"] * top / 16, abs=1.5)
    assert frame["height"] == pytest.approx(picture["height"] * (bottom - top + 1) / 16, abs=1.5)
    assert frame["x"] - picture["x"] == pytest.approx(picture["width"] * left / 12, abs=1.5)
    assert frame["width"] == pytest.approx(picture["width"] * (right - left + 1) / 12, abs=1.5)
    n = (bottom - top + 1) * (right - left + 1)
    assert f"{n} of 192 pixels" in page.locator(f"{FIELD} .reading").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_convolutions_is_clean_for_axe(browser, conv_server, scheme):
    page, wrong = watched_page(browser, color_scheme=scheme, viewport={"width": 1024, "height": 900})
    for name in CASES:
        opened(page, conv_server, name)
        assert serious_findings(page) == []
    page.context.close()
    assert not wrong, wrong
