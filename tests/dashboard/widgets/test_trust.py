"""The trust line says in words what the tests gave, and greys out what does no better than random."""

from dataclasses import replace
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from core.data.tabular import BreastCancer
from core.explanation.integrated import IntegratedGradients
from core.jobs.lenses import ExplainJob
from core.jobs.trust_lenses import TrustJob
from core.results.trust import Doubt
from core.settings import Settings
from dashboard.session import resources
from dashboard.widgets import trust as widget
from dashboard.widgets.trust_words import doubt_words, headline, number_lines, strengths
from tests.core.samples import linear, spiral, stack
from tests.dashboard.figures.test_trust_figure import TRUST
from tests.dashboard.inline_client import InlineClient

TABLE = spiral(data=BreastCancer(), model=stack(linear(8), "ReLU", linear(2)))
JOB = ExplainJob(experiment=TABLE, explainer=IntegratedGradients())


def page():
    import streamlit as st

    from core.jobs.lenses import ExplainJob
    from core.results.attribution import Attribution
    from dashboard.widgets.lens import look
    from dashboard.widgets.trust import trust_line

    job = ExplainJob.model_validate_json(st.session_state["job"])
    look(job, Attribution, lambda found: trust_line(job, found, key="here.ig"), key="here.ig")


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def shown(job=JOB) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["job"] = job.model_dump_json()
    app.run()
    assert not app.exception
    return app


def asked(client) -> list[TrustJob]:
    return [job for job in client.jobs if isinstance(job, TrustJob)]


def words(app) -> str:
    return " ".join(one.value for one in [*app.markdown, *app.caption, *app.text])


def test_quick_tests_are_made_by_themselves_with_words_and_numbers(client):
    app = shown()
    assert [job.explained for job in asked(client)] == [JOB]
    assert any(sentence in words(app) for sentence in ("Trust it", "No better than random"))
    assert "Rank correlation after the last layers got random weights" not in words(app)
    app.session_state["here.ig.trust.numbers"] = True  # opened
    app.run()
    assert "Rank correlation after the last layers got random weights" in words(app)
    assert "mean of the training examples" in words(app)


def test_slow_tests_are_made_when_asked_for(client, monkeypatch):
    monkeypatch.setattr(widget, "AUTOMATIC_S", 0.0)
    app = shown()
    assert asked(client) == []
    button = app.button(key="here.ig.trust.ask")
    assert "about" in button.help
    button.click().run()
    assert len(asked(client)) == 1
    assert "Numbers behind this" not in words(app)
    app.session_state["job"] = JOB.but(seed=4).model_dump_json()
    app.run()
    assert len(asked(client)) == 1  # another question is another matter
    assert app.button(key="here.ig.trust.ask")


def test_every_doubt_has_a_sentence_with_its_numbers():
    full = replace(
        TRUST, fit_r2=0.2, seeds=(0, 1, 2), stability_overlap=(0.25,) * 3, stability_spearman=(0.4,) * 3, doubts=get_args(Doubt)
    )
    found = doubt_words(full)
    assert len(found) == len(get_args(Doubt)) == len(set(found))
    assert all(sentence.endswith(".") and "{" not in sentence for sentence in found)
    assert "2.4% of random orders" in found[0]
    assert any("0.25" in sentence and "102 pixels" in sentence for sentence in found)


def test_a_map_without_signs_says_so_when_its_order_fails():
    assert "without sign" in " ".join(doubt_words(replace(TRUST, signed=False, doubts=("random_order",))))
    assert "without sign" not in " ".join(doubt_words(replace(TRUST, doubts=("random_order",))))
    assert "without sign" not in " ".join(
        doubt_words(replace(TRUST, method="grad_cam", signed=False, doubts=("random_order",)))
    )


def test_what_is_good_is_told_in_one_sentence():
    assert strengths(TRUST) == (
        "Better than 4 of 4 random orders, different for untrained weights, in line with SHAP and Occlusion, "
        "strongest within the known evidence."
    )
    nothing = replace(TRUST, doubts=("random_order", "untrained", "disagrees"), pointing=None)
    assert strengths(nothing) == ""


@pytest.mark.parametrize(("verdict", "begin"), [("good", "Trust it:"), ("mixed", "Trust it in part"), ("random", "No better")])
def test_the_verdict_is_a_sentence(verdict, begin):
    assert headline(replace(TRUST, verdict=verdict)).startswith(begin)


def test_all_numbers_stand_in_lines():
    text = "\n".join(number_lines(TRUST))
    for number in (
        "1.5 logit",
        "2.5 logit",
        "random orders: 2 ± 0.25",
        "0.02%",
        "1 of 4: 0.10",
        "nothing random",
        "80%",
        "ROC AUC 0.70",
    ):
        assert number in text
    unsteady = replace(TRUST, seeds=(3, 4, 5), stability_overlap=(0.5,), stability_spearman=(0.9,), fit_r2=0.8, residual=None)
    text = "\n".join(number_lines(unsteady))
    assert "Seeds 3, 4, 5: overlap of the top 102 pixels 0.50, rank correlation 0.90." in text
    assert "R² of LIME's linear model: 0.80." in text
    assert "residual" not in text
