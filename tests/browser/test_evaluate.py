"""Evaluate in a real browser: from a cell of the confusion matrix to its images to an explanation, with mouse and keyboard."""

import re

import pytest

from core.data.rendered import Digits
from core.experiment.codec import link_text
from core.experiment.experiment import Budget
from tests.browser.conftest import serious_findings, settled, watched_page
from tests.browser.test_tour import open_screen, train, wait_for_data
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.browser

EXPERIMENT = spiral(data=Digits(), model=stack("Flatten", linear(10)), batch_size=64, budget=Budget(epochs=2))
WAIT_MS = 60_000
MOST_TABS = 40


def matrix(page, server):
    """Train a little, and look at the confusion matrix; the names of two cells with examples: an error and a hit."""
    page.goto(f"{server}/?x={link_text(EXPERIMENT)}")
    settled(page)
    open_screen(page, "Train")
    train(page)
    wait_for_data(page, "data.state === 'finished'")
    settled(page)
    open_screen(page, "Evaluate")
    page.get_by_role("radio", name="Errors", exact=True).click()
    page.get_by_role("grid", name=re.compile("^Confusion matrix")).wait_for(timeout=WAIT_MS)
    settled(page)


def error(page):
    """The row and column of a cell off the diagonal that has examples, and what it is called."""
    found = page.evaluate(
        "() => { const rows = [...document.querySelectorAll('.lw-confusion tbody tr')]"
        "  .map(row => [...row.querySelectorAll('td[aria-label]')]);"
        " for (const [i, row] of rows.entries()) for (const [j, cell] of row.entries())"
        "  if (i !== j && cell.textContent) return [i, j, cell.getAttribute('aria-label')]; }"
    )
    assert found, "the model makes no error: train it less"
    return found


def sees_the_images_of(page, name):
    true, predicted, n = re.match(r"true (.+), predicted (.+): (\d+) examples?$", name).groups()
    page.get_by_text(re.compile(rf"^{n} examples? of {true}, taken for {predicted}")).first.wait_for(timeout=WAIT_MS)
    cards = page.locator(".lw-example-cards li")
    cards.first.wait_for(timeout=WAIT_MS)
    assert cards.count() == min(int(n), 24)
    assert page.locator(".lw-example-cards img").count() == cards.count()
    settled(page)
    return predicted


def sees_the_explanation(page, predicted):
    page.get_by_role("radio", name="This prediction").wait_for(timeout=WAIT_MS)
    page.get_by_text(re.compile(f"^{predicted}: logit")).first.wait_for(timeout=WAIT_MS)
    page.get_by_test_id("stPlotlyChart").nth(1).wait_for(timeout=WAIT_MS)  # the picture, and a map of a method
    settled(page)


def tab_to(page, is_there):
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(
            f"() => {{ let one = document.activeElement; while (one?.shadowRoot?.activeElement)"
            f" one = one.shadowRoot.activeElement; return {is_there}; }}"
        ):
            return
    pytest.fail(f"The focus did not get there: {is_there}")


def test_from_a_cell_to_its_images_to_an_explanation_in_two_clicks(page, server):
    matrix(page, server)
    assert serious_findings(page) == []
    _row, _column, name = error(page)
    page.get_by_role("gridcell", name=name, exact=True).click()
    predicted = sees_the_images_of(page, name)
    assert serious_findings(page) == []
    page.get_by_role("button", name=re.compile("^Explain ")).first.click()
    sees_the_explanation(page, predicted)


def test_the_same_by_keyboard_alone_and_sound_in_the_dark(browser, server):
    page, wrong = watched_page(browser, color_scheme="dark", viewport={"width": 1024, "height": 900})
    matrix(page, server)
    row, column, name = error(page)
    tab_to(page, "one?.closest('.lw-confusion') && one.tagName === 'TD'")
    for key in ["ArrowDown"] * row + ["ArrowRight"] * column + ["Enter"]:
        page.keyboard.press(key)
    predicted = sees_the_images_of(page, name)
    assert serious_findings(page) == []
    tab_to(page, "one?.className === 'explain'")
    page.keyboard.press("Enter")
    sees_the_explanation(page, predicted)
    page.context.close()
    assert not wrong, wrong
