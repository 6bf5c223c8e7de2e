"""Neurons and lines in the real browser: what they say, by mouse and by keyboard alone, and that news keep the focus."""

import re
from pathlib import Path

import pytest

from tests.browser.conftest import serious_findings, serving, settled

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def neurons_server(tmp_path_factory):
    with serving(HERE / "neurons_server.py", tmp_path_factory.mktemp("neurons")) as address:
        yield address


@pytest.fixture
def net(page, neurons_server):
    page.goto(neurons_server)
    page.locator(".lw-neurons .neuron").first.wait_for()
    settled(page)
    return page


def part(page, selector):
    return page.locator(".lw-neurons").first.locator(selector)


def neuron(page, place):
    return part(page, f'[data-place="{place}"]')


def focused(page) -> str:
    return page.evaluate("document.activeElement.dataset.place ?? ''")


def shade(page, share_x: float) -> list[int]:
    """The colour of the large map in its middle row, at a share of its width."""
    look = (
        "(canvas, share) => { const size = canvas.clientWidth, k = canvas.width / size;"
        " const [x, y] = [44 + share * (size - 54), 8 + 0.42 * (size - 48)];"
        " return [...canvas.getContext('2d').getImageData(x * k, y * k, 1, 1).data]; }"
    )
    return part(page, "canvas").evaluate(look, share_x)


def test_a_neuron_that_is_pointed_at_is_large_with_its_formula(net):
    neuron(net, "1,1").hover()
    expect(part(net, ".title")).to_have_text("1 Linear, neuron 2 of 3")
    expect(part(net, ".formula")).to_have_text("Tanh(0.5 − 0.5 · x2 + 0 · x1)")
    neuron(net, "2,0").hover()
    expect(part(net, ".formula")).to_have_text("0 − 2 · n1.2 + 1 · n1.1 + 0.5 · n1.3")
    neuron(net, "0,0").hover()
    net.wait_for_timeout(200)
    left, right = shade(net, 0.05), shade(net, 0.95)
    assert left[2] > left[0]  # x1 is negative on the left: blue
    assert right[0] > right[2]


def test_lines_are_as_wide_as_their_weights_and_say_them(net):
    lines = part(net, ".weight")
    widths = [float(width) for width in lines.evaluate_all("(all) => all.map((one) => one.getAttribute('stroke-width'))")]
    colours = lines.evaluate_all("(all) => all.map((one) => one.getAttribute('stroke'))")
    assert len(widths) == 9
    thickest = max(range(9), key=widths.__getitem__)
    assert widths[thickest] == pytest.approx(7)
    assert colours[thickest] == "#0072B2"  # the weight of -2
    assert sorted(widths)[-2] == pytest.approx(3.5)
    part(net, ".hit").nth(thickest).dispatch_event("pointerenter")
    expect(part(net, ".reading")).to_have_text("Weight from 1 Linear, neuron 2 of 3 to value: −2")


def test_it_works_by_keyboard_alone_and_a_chosen_neuron_is_chosen_in_python(net):
    net.get_by_label("Later").focus()
    net.keyboard.press("Tab")
    assert focused(net) == "1,0"
    for key, place in (("ArrowDown", "1,1"), ("ArrowLeft", "0,1"), ("ArrowRight", "1,2"), ("Home", "1,0"), ("End", "1,2")):
        net.keyboard.press(key)
        assert focused(net) == place
    expect(part(net, ".title")).to_have_text("1 Linear, neuron 3 of 3")
    net.keyboard.press("Enter")
    net.get_by_text("Chosen: (0, 2)").wait_for()
    settled(net)
    assert focused(net) == "1,2"
    expect(neuron(net, "1,2")).to_have_class(re.compile("chosen"))


def test_new_weights_are_put_into_the_drawing_that_is_there(net):
    neuron(net, "1,0").evaluate("(node) => { node.mark = 1 }")
    width = part(net, ".weight").first.get_attribute("stroke-width")
    net.get_by_text("Later").click()
    settled(net)
    neuron(net, "1,0").hover()
    expect(part(net, ".formula")).to_have_text("Tanh(0 + 4 · x1 + 0 · x2)")
    assert neuron(net, "1,0").evaluate("(node) => node.mark") == 1
    assert part(net, ".weight").first.get_attribute("stroke-width") != width


def test_a_table_has_neurons_without_maps_and_nothing_is_hard_to_reach(net):
    table = net.locator(".lw-neurons").nth(1)
    assert table.locator("image").count() == 0
    expect(table.locator("canvas")).to_be_hidden()
    expect(table.locator(".formula")).to_contain_text("n1.2")
    assert serious_findings(net) == []
