"""The report as a file: what it says, that nothing in it can act but its own two scripts, and that it asks for nothing."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from core.experiment.codec import from_file_text
from dashboard.figures.report_curves import MAX_POINTS, drawn_steps, loss_figure
from dashboard.widgets.report import report_html
from tests.dashboard.widgets.report_facts import EVIL, attribution, classes, curve, numbers


class Elements(HTMLParser):
    """Elements with their attributes, and the texts inside of each kind."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict]] = []
        self.texts: dict[str, list[str]] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open = tag
        self.texts.setdefault(tag, []).append("")

    def handle_data(self, data):
        if self.open:
            self.texts[self.open][-1] += data

    def handle_endtag(self, tag):
        self.open = ""


@pytest.fixture(scope="module")
def evil():
    return Elements(report_html(classes()).decode())


@pytest.mark.fault(26)
def test_what_people_typed_makes_no_element(evil):
    tags = [tag for tag, _ in evil.found]
    assert "img" not in tags
    scripts = [attributes.get("type", "runs") for tag, attributes in evil.found if tag == "script"]
    assert scripts == ["application/json"] * 4 + ["runs"] * 2
    assert evil.texts["h1"] == [EVIL]
    assert evil.texts["title"] == [EVIL]


def test_the_policy_names_the_two_scripts_and_forbids_all_else(evil):
    policy = next(attributes["content"] for tag, attributes in evil.found if "http-equiv" in attributes)
    running = [text for text, (_, attributes) in zip(evil.texts["script"], _scripts(evil), strict=True) if not attributes]
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running]
    assert f"script-src {' '.join(digests)};" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert "http" not in policy


def _scripts(elements):
    return [one for one in elements.found if one[0] == "script"]


def test_every_chart_has_both_themes_and_words(evil):
    charts = [attributes for tag, attributes in evil.found if attributes.get("class") == "chart"]
    assert len(charts) == 4  # loss, accuracy, confusion, explanation
    assert all(attributes["role"] == "group" and len(attributes["aria-label"]) > 10 for attributes in charts)
    told = [json.loads(text) for text, (_, attributes) in zip(evil.texts["script"], _scripts(evil), strict=True) if attributes]
    assert all(set(one) == {"light", "dark"} and one["light"]["data"] for one in told)
    assert all(one["light"]["layout"] != one["dark"]["layout"] for one in told)


def test_a_regression_has_residuals_and_figures_in_words():
    text = report_html(numbers()).decode()
    for words in ("Mean absolute error", "Residuals (true − predicted)", "Predicted over true progress of 3 examples"):
        assert words in text
    assert "Confusion" not in text.partition("<script>")[0]


def test_the_experiment_in_it_repeats_the_run(evil):
    assert from_file_text(evil.texts["pre"][0]) == classes().experiment


def test_headings_stand_in_order_and_nothing_is_fetched(evil):
    headings = [tag for tag, _ in evil.found if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1", *["h2"] * 6]
    assert not [name for _, attributes in evil.found for name in attributes if name in ("src", "href")]


@pytest.mark.parametrize(
    "found",
    [
        attribution(values=np.ones((4, 4), np.float32), input=np.ones((1, 4, 4), np.float32), pixels=np.ones((4, 4), np.uint8)),
        attribution(values=np.ones(3, np.float32), input=np.array([0, 4, 5]), feature_names=("", "good", EVIL)),
    ],
    ids=["picture", "text"],
)
def test_pictures_and_texts_are_explained_too(found):
    facts = classes()
    text = report_html(replace(facts, explained=(replace(facts.explained[0], found=found),))).decode()
    assert text.count('class="chart"') == 4


def test_the_report_of_a_race_says_whose_weights_its_figures_are_of():
    html = report_html(replace(classes("race"), lane="Adam, lr 0.1, seed 2")).decode()
    assert "are of Adam, lr 0.1, seed 2, with its weights after step 30" in html


def test_the_report_of_a_smaller_model_says_how_it_came_about_and_not_that_training_repeats_it():
    html = report_html(replace(classes("small"), smaller="int8, static, of run ab12 at step 30")).decode()
    assert "int8, static, of run ab12 at step 30" in html
    assert not any(words in html for words in ("What was trained", "Trained by", "repeats it", "repeat the curve"))


def test_figures_that_could_not_be_computed_are_said_to_be_left_out():
    html = report_html(replace(classes("diverged"), figures_note="Figures are left out.")).decode()
    assert "<p>Figures are left out.</p>" in html


def test_a_run_without_steps_has_a_report_all_the_same():
    text = report_html(replace(classes(), curves=(), predictions=None, explained=(), started=None)).decode()
    assert "<h2>What was trained</h2>" in text
    assert "<h2>Curves</h2>" not in text


def test_long_curves_are_drawn_with_fewer_points_and_their_ends():
    steps = drawn_steps(100_003)
    assert len(steps) <= MAX_POINTS + 1
    assert (steps[0], steps[-1]) == (1, 100_003)
    drawn = loss_figure([curve(n=20)], "nats")
    assert drawn.data[0].y.tolist() == curve(n=20).losses.tolist()
    assert [trace.name for trace in drawn.data] == ["batch", "training", "validation"]
    assert drawn.data[1].line != drawn.data[2].line
