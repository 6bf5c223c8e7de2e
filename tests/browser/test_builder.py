"""The builder in the real browser: flat stacks, stacks in stacks, by keyboard alone and by mouse."""

import json
import re

import pytest

from tests.browser.conftest import serious_findings, settled, watched_page

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

STACK = ".lw-layer-stack"


def opened(page, address: str, stack: str) -> None:
    page.goto(f"{address}/?stack={stack}")
    settled(page)
    page.locator(f"{STACK} .foot").wait_for()


def known(page, kinds: str) -> None:
    """Wait until Python knows this stack."""
    expect(page.get_by_text("Kinds:")).to_have_text(f"Kinds: {kinds}")


def focused(page) -> str:
    return page.evaluate("() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.dataset.f")


def said(page) -> str:
    return page.locator(f"{STACK} .sr").inner_text()


def handle(page, name: str):
    return page.get_by_role("button", name=re.compile(f"^Move {name}[,.]"))


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_layers_are_moved_and_removed_from_the_keyboard(page, components_server: str) -> None:
    page.goto(components_server)
    settled(page)
    names = page.locator(".lw-layer-stack li .name")
    page.get_by_role("button", name="Move Conv2d, layer 1 of 8").focus()
    for _ in range(3):  # faster than the server answers
        page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Move Conv2d, layer 4 of 8").wait_for()
    settled(page)
    page.wait_for_timeout(300)  # the answers to all three are there now
    expect(names.nth(3)).to_have_text(re.compile(r"4\s*Conv2d$"))
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith("Move Conv2d, layer 4")
    page.get_by_role("alert").get_by_text("Conv2d").wait_for()  # it stands after Flatten now
    page.keyboard.press("Delete")
    page.get_by_role("button", name=re.compile("Move Linear, layer 4 of 7")).wait_for()
    settled(page)
    expect(names).to_have_count(7)


def test_a_shape_error_is_mended_by_its_button(page, components_server: str) -> None:
    page.goto(components_server)
    settled(page)
    page.get_by_role("button", name="Remove Flatten (layer 4)").click()
    stack = page.locator(".lw-layer-stack")
    stack.get_by_role("alert").get_by_text("Linear needs a flat vector but receives 16 × 14 × 14").wait_for()
    stack.get_by_role("button", name=re.compile("^Fix: .*Flatten")).click()
    stack.get_by_text("3,136").wait_for()
    expect(stack.get_by_role("alert")).to_have_count(0)
    expect(stack.locator("li")).to_have_count(8)


def test_numbers_are_typed_clamped_and_answered(page, components_server: str) -> None:
    page.goto(components_server)
    settled(page)
    field = page.get_by_label("out features").first
    field.fill("99999")
    page.keyboard.press("Tab")
    page.get_by_text("16,384", exact=True).first.wait_for()
    assert field.input_value() == "16384"
    assert page.evaluate("() => document.activeElement.type") == "checkbox"
    field.fill("")
    field.press("Enter")
    assert field.input_value() == "16384"
    page.get_by_label("stride").nth(1).fill("1")
    page.keyboard.press("Enter")
    page.get_by_text("16 × 27 × 27").wait_for()


def test_a_layer_is_dragged_added_and_duplicated(page, components_server: str) -> None:
    page.goto(components_server)
    settled(page)
    names = page.locator(".lw-layer-stack li .name")
    page.get_by_role("button", name="Move Dropout, layer 7 of 8").drag_to(page.locator(".lw-layer-stack li").nth(5))
    page.get_by_role("button", name="Move Dropout, layer 6 of 8").wait_for()
    page.get_by_role("combobox", name="Add layer", exact=True).fill("tanh")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Duplicate Tanh (layer 9)").click()
    page.get_by_role("button", name="Move Tanh, layer 10 of 10").wait_for()
    settled(page)
    kinds = ["Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear", "Dropout", "ReLU", "Linear", "Tanh", "Tanh"]
    expect(names).to_have_text([re.compile(rf"{i}\s*{kind}$") for i, kind in enumerate(kinds, start=1)])


def test_a_net_with_a_skip_connection_is_built_by_keyboard_alone(page, components_server: str) -> None:
    opened(page, components_server, "empty")
    page.get_by_role("combobox", name="Add layer", exact=True).focus()
    page.keyboard.type("conv2")
    press(page, "Enter")
    page.keyboard.type("residual")
    press(page, "Enter")
    page.keyboard.type("flat")
    press(page, "ArrowDown", "ArrowUp", "Enter")
    known(page, "Conv2d Residual() Flatten")
    press(page, "Shift+Tab")  # from the end of the list backwards, to what is inside
    page.get_by_role("button", name="Add layer to Residual 2").focus()
    press(page, "Enter")
    for kind in ("conv2d", "batchnorm2", "relu"):
        page.keyboard.type(kind)
        press(page, "Enter")
    known(page, "Conv2d Residual(Conv2d BatchNorm2d ReLU) Flatten")
    press(page, "Escape")
    assert focused(page) == "Add layer to Residual 2"
    handle(page, "ReLU, layer 2.3, 3 of 3 in Residual 2").focus()
    press(page, "ArrowDown")
    assert said(page) == "ReLU moved out of Residual, to place 3 of 4"
    assert focused(page).startswith("Move ReLU, layer 3 of 4")
    known(page, "Conv2d Residual(Conv2d BatchNorm2d) ReLU Flatten")
    press(page, "ArrowUp")
    assert said(page) == "ReLU moved into Residual 2, place 3 of 3"
    press(page, "ArrowUp", "ArrowUp", "ArrowUp")
    assert said(page) == "ReLU moved out of Residual, to place 2 of 4"
    press(page, "ArrowDown", "Delete")
    assert focused(page).startswith("Move Conv2d, layer 2.1, 1 of 2 in Residual 2")
    known(page, "Conv2d Residual(Conv2d BatchNorm2d) Flatten")


def test_a_container_is_duplicated_with_all_inside_and_folded_with_enter(page, components_server: str) -> None:
    opened(page, components_server, "resnet")
    page.get_by_role("button", name="Duplicate Parallel (layer 8)").click()
    twice = " ".join(["Parallel(Conv2d Residual(Tanh) | Conv2d ReLU | )"] * 2)
    expect(page.get_by_text("Kinds:")).to_contain_text(twice)
    assert focused(page).startswith("Move Parallel, layer 9 of 12")
    press(page, "Enter")
    fold = page.get_by_role("button", name="Layers inside Parallel (layer 9)")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("list", name="Layers in Parallel 9, Branch a")).to_be_hidden()
    expect(page.locator(f"{STACK} li[aria-current]").get_by_text("5 layers inside")).to_be_visible()
    press(page, "ArrowDown")  # the focus and the fold stay with it through the answer
    page.get_by_role("button", name="Layers inside Parallel (layer 10)").wait_for()
    settled(page)
    assert focused(page).startswith("Move Parallel, layer 10 of 12")
    page.get_by_role("button", name="Collapse all").click()
    expect(page.locator(f"{STACK} > ol > li > .inside > .branches:visible")).to_have_count(0)
    page.get_by_role("button", name="Expand all").click()
    expect(page.get_by_role("list", name="Layers in Parallel 10, Branch a")).to_be_visible()


def test_branches_are_added_and_removed(page, components_server: str) -> None:
    opened(page, components_server, "resnet")
    page.get_by_role("button", name="Add a branch to Parallel 8").click()
    expect(page.get_by_text("Kinds:")).to_contain_text("| Conv2d ReLU |  | )")
    expect(page.get_by_role("button", name="Add a branch to Parallel 8")).to_have_count(0)
    assert focused(page) == "Add layer to branch d of Parallel 8"
    page.get_by_role("button", name="Remove branch a of Parallel 8").click()
    expect(page.get_by_text("Kinds:")).to_contain_text("Parallel(Conv2d ReLU |  | )")
    for branch in "ba":
        page.get_by_role("button", name=f"Remove branch {branch} of Parallel 8").click()
    expect(page.get_by_role("button", name="Remove branch a of Parallel 8")).to_be_disabled()


def test_layers_are_dragged_into_a_branch_and_out_but_never_into_themselves(page, components_server: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 3000})  # all in sight: a drag cannot scroll here
    opened(page, components_server, "resnet")
    handle(page, "ReLU, layer 7 of 11").drag_to(page.get_by_text("No layers here"))
    expect(page.get_by_text("Kinds:")).to_contain_text("Parallel(Conv2d Residual(Tanh) | Conv2d ReLU | ReLU)")
    handle(page, "Tanh, layer 7a.2.1, 1 of 1 in Residual 7a.2").drag_to(page.locator(f"{STACK} .foot"))
    expect(page.get_by_text("Kinds:")).to_contain_text("Linear Tanh")
    before = page.get_by_text("Kinds:").inner_text()
    handle(page, "Parallel, layer 7 of 11").drag_to(page.locator("li[data-kind=Parallel] li[data-kind=ReLU] .name").first)
    settled(page)
    assert page.get_by_text("Kinds:").inner_text() == before


def test_too_deep_and_too_many_are_refused_with_a_sentence(page, components_server: str) -> None:
    opened(page, components_server, "empty")
    page.get_by_role("combobox", name="Add layer", exact=True).fill("residual")
    press(page, "Enter")
    for number in ("1", "1.1"):
        page.get_by_role("button", name=f"Add layer to Residual {number}", exact=True).click()
        page.keyboard.type("residual")
        press(page, "Enter", "Escape")
    known(page, "Residual(Residual(Residual()))")
    page.get_by_role("button", name="Add layer to Residual 1.1.1").click()
    page.keyboard.type("residual")
    press(page, "Enter")
    message = page.locator(f"{STACK} .refused")
    expect(message).to_have_text("Layers stand in each other at most 3 deep.")
    page.keyboard.type("relu")
    press(page, "Enter")
    expect(message).to_have_text("")
    for _ in range(20):
        page.get_by_role("button", name="Duplicate Residual (layer 1)").click()
    expect(message).to_have_text("A stack has at most 64 layers, those inside others counted.")
    expect(page.locator(f"{STACK} li[data-id]")).to_have_count(64)


def test_how_a_layer_starts_is_set_behind_more(page, components_server: str) -> None:
    opened(page, components_server, "resnet")
    row = page.locator(f"{STACK} > ol > li").first
    handle(page, "Conv2d, layer 1 of 11").focus()
    press(page, "Enter")
    expect(row.get_by_role("button", name="More settings of Conv2d (layer 1)")).to_have_attribute("aria-expanded", "true")
    row.get_by_role("combobox", name="init", exact=True).select_option("Normal")
    row.get_by_label("std").fill("99")
    press(page, "Tab")
    expect(row.get_by_label("std")).to_have_value("10")
    row.get_by_role("button", name="More settings").click()
    expect(row.get_by_text("init Normal")).to_be_visible()
    settled(page)
    expect(row.get_by_text("bias off, init Normal")).to_be_visible()


def test_a_finding_deep_inside_is_mended_by_its_button(page, components_server: str) -> None:
    opened(page, components_server, "resnet")
    page.get_by_role("button", name="Layers inside Residual (layer 6)").click()
    expect(page.get_by_text("1 to look at inside")).to_be_visible()
    page.get_by_role("button", name="Layers inside Residual (layer 6)").click()
    page.locator(STACK).get_by_role("button", name="Fix: Switch the bias off").click()
    expect(page.locator(f"{STACK} .finding")).to_have_count(0)


def test_the_chooser_finds_by_name_family_and_what_a_layer_does(page, components_server: str) -> None:
    opened(page, components_server, "empty")
    box = page.get_by_role("combobox", name="Add layer", exact=True)
    box.click()
    expect(page.get_by_role("group", name="Activation")).to_be_visible()
    box.fill("skip connection")
    expect(page.get_by_role("option")).to_have_count(1)
    assert box.get_attribute("aria-activedescendant") == page.get_by_role("option").get_attribute("id")
    box.fill("no such layer")
    expect(page.get_by_text("No layer of this name.").first).to_be_visible()
    press(page, "Enter", "Escape", "Escape")
    expect(box).to_have_value("")
    box.fill("pool")
    page.get_by_role("option", name="MaxPool2d").click()
    known(page, "MaxPool2d")
    assert focused(page) == "Add layer"
    handle(page, "MaxPool2d, layer 1 of 1").focus()
    press(page, "+")
    page.keyboard.type("flatten")
    press(page, "Enter")
    page.keyboard.type("relu")
    press(page, "Enter", "Escape")
    known(page, "MaxPool2d Flatten ReLU")
    assert focused(page).startswith("Move MaxPool2d")


def test_the_layer_that_is_looked_at_is_told_and_followed(page, components_server: str) -> None:
    opened(page, components_server, "resnet")
    page.evaluate(
        "() => { window.heard = []; addEventListener('layerwise:select', ({ detail }) => window.heard.push(detail)); }"
    )
    handle(page, "Tanh, layer 8a.2.1, 1 of 1 in Residual 8a.2").focus()
    assert page.evaluate("() => window.heard") == [{"path": [7, 0, 1, 0, 0], "source": "stack"}]
    expect(page.locator(".lw-network .chosen").first).to_have_attribute(
        "data-path", json.dumps([7, 0, 1, 0, 0]).replace(" ", "")
    )
    press(page, "ArrowUp")
    page.wait_for_function("() => window.heard.length === 2")
    assert page.evaluate("() => window.heard[1].path") == [7, 0, 1]
    page.get_by_role("button", name="Collapse all").click()
    page.locator(".lw-network").get_by_role("button", name=re.compile("^Layer 4.2 BatchNorm2d")).click()
    row = page.locator(f"{STACK} li[aria-current]")
    expect(row).to_have_attribute("data-kind", "BatchNorm2d")
    expect(row).to_be_in_viewport()
    assert page.evaluate("() => !document.querySelector('.lw-layer-stack').contains(document.activeElement)")
    for strange in ("{ source: 'x' }", "{ path: [99], source: 'x' }", "{ path: 'abc' }", "null"):
        page.evaluate(f"() => dispatchEvent(new CustomEvent('layerwise:select', {{ detail: {strange} }}))") if strange[
            0
        ] == "{" else None
    expect(row).to_have_attribute("data-kind", "BatchNorm2d")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1024)])
def test_nested_rows_are_readable_and_stay_inside(browser, components_server: str, scheme: str, width: int) -> None:
    page, wrong = watched_page(browser, viewport={"width": width, "height": 1000}, color_scheme=scheme)
    opened(page, components_server, "resnet")
    page.get_by_role("button", name="Remove Flatten (layer 10)").click()
    page.locator(STACK).get_by_role("alert").first.wait_for()
    page.get_by_role("button", name="More settings of Conv2d (layer 6.1)").click()
    page.get_by_role("combobox", name="Add layer", exact=True).click()
    assert serious_findings(page) == []
    rows = f"[...document.querySelectorAll('{STACK} li, {STACK} .head')]"
    assert page.evaluate(f"() => {rows}.filter((row) => row.scrollWidth > row.clientWidth + 1).length") == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.context.close()
    assert not wrong
