"""A visitor's own data in, and any stack out, in the real browser."""

import io
import re
import zipfile

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page
from tests.browser.test_tour import open_screen, take_example, train, wait_for_data

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

STACK = ".lw-layer-stack"
WAIT_MS = 60_000


def opened(page, server: str, screen: str) -> None:
    page.goto(f"{server}/{screen}")
    page.get_by_role("button", name="Share").wait_for()
    settled(page)


def choose(page, label: str, option: str) -> None:
    """Pick an option of a select box by typing its name."""
    page.get_by_role("combobox", name=label).first.click()
    page.keyboard.type(option)
    page.keyboard.press("Enter")
    settled(page)


def tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    settled(page)


def sentence(page, words: str) -> None:
    """Wait for the header to say these words of the experiment."""
    expect(page.locator(".st-key-header").get_by_text(words)).to_be_visible(timeout=WAIT_MS)


def flowers() -> bytes:
    """A table with two columns of numbers, one with gaps, and a class."""
    rows = [f"{i % 7},{'' if i == 3 else i % 5},{('rose', 'tulip')[i % 2]}" for i in range(40)]
    return ("height,width,flower\n" + "\n".join(rows)).encode()


def pictures() -> bytes:
    """Two folders of small pictures: dark ones and bright ones."""
    from PIL import Image

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(24):
            name, shade = (("night", 20), ("day", 220))[i % 2]
            picture = io.BytesIO()
            Image.new("L", (12, 12), shade + i // 2).save(picture, "PNG")
            archive.writestr(f"sky/{name}/{i}.png", picture.getvalue())
    return packed.getvalue()


def upload(page, name: str, data: bytes) -> None:
    tab(page, "Own data")
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "", "buffer": data})


def test_a_table_of_ones_own_is_uploaded_looked_at_and_trained(page, server):
    opened(page, server, "data")
    upload(page, "flowers.csv", flowers())
    use = page.get_by_role("button", name="Use this data")
    use.wait_for(timeout=WAIT_MS)
    assert "miss" in page.get_by_test_id("stMain").inner_text()
    use.click()
    sentence(page, "Own table")
    open_screen(page, "Build")
    expect(page.locator(f"{STACK} .finding.error")).to_have_count(0)
    train(page)
    wait_for_data(page, "+data.step > 20")
    page.get_by_role("button", name=re.compile("Stop")).click()
    wait_for_data(page, "data.state === 'stopped'")


def test_a_zip_of_images_becomes_a_data_set_and_a_bad_file_a_sentence(page, server):
    opened(page, server, "data")
    upload(page, "pictures.zip", b"PK\x03\x04 this is no zip")
    page.get_by_text("it is no complete ZIP archive").wait_for(timeout=WAIT_MS)
    upload(page, "sky.zip", pictures())
    page.get_by_role("button", name="Use this data").click(timeout=WAIT_MS)
    sentence(page, "Own images")
    tab(page, "Examples")
    page.get_by_role("radio", name="day").first.wait_for(timeout=WAIT_MS)
    assert serious_findings(page) == []


def test_points_are_drawn_and_learned_from(page, server):
    opened(page, server, "data")
    choose(page, "Data set", "Draw your own")
    canvas = page.locator(".lw-point-pad canvas")
    box = canvas.bounding_box()
    page.get_by_text("12 and 12 points").wait_for()
    page.mouse.click(box["x"] + 30, box["y"] + box["height"] - 30)
    page.get_by_text("13 and 12 points").wait_for()
    sentence(page, "Draw your own points")
    train(page)
    wait_for_data(page, "+data.step > 20")
    wait_for_data(page, "true", ".lw-boundary")
    wait_for_data(page, "data.state === 'finished'")


def add(page, kind: str, **fields: str) -> None:
    """Add a layer by typing its name, and set its fields, by keyboard alone."""
    names = page.locator(f"{STACK} li .name")
    n = names.count()
    page.get_by_role("combobox", name="Add layer", exact=True).focus()
    page.keyboard.type(kind)
    page.keyboard.press("Enter")
    expect(names).to_have_count(n + 1)
    settled(page)
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).last.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(value)
        page.keyboard.press("Tab")
        settled(page)


def test_the_articles_cnn_is_built_by_keyboard_only_and_undone_and_redone(page, server):
    opened(page, server, "build")
    take_example(page, "Digits 28 × 28")
    tab(page, "Architecture as text")
    area = page.get_by_role("textbox", name="Architecture")
    area.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("layers: []")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Apply").focus()
    page.keyboard.press("Enter")
    page.get_by_text("No layers yet").wait_for()
    add(page, "Conv2d", out_channels="32")
    add(page, "ReLU")
    add(page, "MaxPool2d")
    add(page, "Conv2d", out_channels="64")
    add(page, "ReLU")
    add(page, "MaxPool2d")
    add(page, "Flatten")
    add(page, "Linear", out_features="64")
    add(page, "ReLU")
    add(page, "Linear", out_features="10")
    sentence(page, "10 layers, 121,930 parameters")
    for way, words in (("Undo", "10 layers, "), ("Redo", "10 layers, 121,930 parameters")):
        button = page.get_by_role("button", name=re.compile(way))
        button.focus()
        page.keyboard.press("Enter")
        sentence(page, words)
    assert serious_findings(page) == []


def test_undo_takes_back_a_change_by_its_key_and_redo_makes_it_again(page, server):
    opened(page, server, "build")
    page.get_by_role("button", name="Remove Linear (layer 5)").click()
    sentence(page, "4 layers")
    page.keyboard.press("Control+z")
    sentence(page, "5 layers, 354 parameters")
    page.keyboard.press("Control+Shift+z")
    sentence(page, "4 layers")


def test_a_link_brings_the_whole_experiment_into_another_browser(page, server, browser):
    opened(page, server, "data")
    choose(page, "Data set", "Known evidence")
    tab(page, "Augmentation")
    page.get_by_role("button", name="Rotation").click()
    settled(page)
    open_screen(page, "Build")
    page.get_by_role("button", name=re.compile("^Use ")).click()
    said = page.locator(".st-key-header").get_by_text(re.compile("Known evidence.*parameters"))
    said.wait_for(timeout=WAIT_MS)
    settled(page)
    header = said.inner_text()
    other, wrong = watched_page(browser)
    other.goto(page.url)
    other.get_by_role("button", name="Share").wait_for()
    settled(other)
    sentence(other, header)
    open_screen(other, "Data")
    tab(other, "Augmentation")
    other.get_by_role("spinbutton", name="Degrees").wait_for(timeout=WAIT_MS)
    other.context.close()
    assert not wrong, wrong
