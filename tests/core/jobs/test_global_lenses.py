"""The jobs that look at many examples: what they give, what they refuse, and what they say they cost."""

import numpy as np
import pytest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer
from core.errors import SpecError
from core.events import Artifact, Progressed
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.shap_method import ShapTabular
from core.explanation.text_shap import ShapText
from core.jobs.global_lenses import GlobalMapsJob, GlobalViewJob, GlobalWordsJob, PartialDependenceJob
from core.jobs.inline import run_inline
from core.jobs.lenses import ExampleRef, ExplainJob
from core.jobs.shipping import AnyJob
from core.results.codec import load_result
from core.results.global_view import GlobalMaps, GlobalView, GlobalWords
from core.results.partial_dependence import PartialDependence
from core.settings import Settings
from core.spec import choices, parse_json
from tests.core.samples import linear, spiral, stack

CELLS = spiral(data=BreastCancer(), model=stack(linear(8), "Tanh", linear(2)))
POINTS = spiral()
DIGITS = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64)
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER)
FEW = ShapTabular(n_background=5, n_evaluations=130)
JOBS = {
    "table": (GlobalViewJob(explained=ExplainJob(experiment=CELLS, explainer=FEW, target=1), n=6, n_repeats=2), GlobalView),
    "points": (GlobalViewJob(explained=ExplainJob(experiment=POINTS, explainer=FEW, target=0), n=6, n_repeats=2), GlobalView),
    "images": (GlobalMapsJob(explained=ExplainJob(experiment=DIGITS, explainer=GradCam()), n=20), GlobalMaps),
    "texts": (GlobalWordsJob(explained=ExplainJob(experiment=SENTENCES, explainer=ShapText(), target=1), n=4), GlobalWords),
    "dependence": (
        PartialDependenceJob(explained=ExplainJob(experiment=CELLS, explainer=FEW), n=10, column=3),
        PartialDependence,
    ),
}


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


@pytest.mark.parametrize("name", JOBS)
def test_a_job_gives_its_result_and_costs_about_what_it_says(name, settings):
    job, wanted = JOBS[name]
    job.check(settings)
    items = list(run_inline(job, settings))
    found = load_result(wanted, next(item.data for item in items if isinstance(item, Artifact)))
    assert found.step == 0
    reports = [item.event for item in items if not isinstance(item, Artifact) and isinstance(item.event, Progressed)]
    assert reports[-1].total > 1 or name != "table"
    if wanted is not PartialDependence:
        assert 0.2 * job.evaluations() <= found.n_evaluations <= 2.5 * job.evaluations()
    assert 0 < job.seconds() < 60


@pytest.mark.parametrize("name", JOBS)
def test_a_job_travels_as_text(name):
    job, _wanted = JOBS[name]
    assert type(job) in choices(AnyJob)
    assert parse_json(AnyJob, job.model_dump_json()) == job


def test_the_global_view_of_a_table_is_the_same_for_every_seed_of_nothing_random(settings):
    job, wanted = JOBS["points"]
    first, again = (
        load_result(wanted, next(item.data for item in run_inline(job, settings) if isinstance(item, Artifact)))
        for _ in range(2)
    )
    assert np.array_equal(first.contributions, again.contributions)
    assert np.array_equal(first.losses, again.losses)


@pytest.mark.parametrize(
    ("job", "word"),
    [
        (GlobalViewJob(explained=ExplainJob(experiment=DIGITS, explainer=IntegratedGradients())), "does not fit these data"),
        (GlobalMapsJob(explained=ExplainJob(experiment=CELLS, explainer=IntegratedGradients())), "does not fit these data"),
        (GlobalViewJob(explained=ExplainJob(experiment=CELLS, explainer=GradCam())), "images"),
        (GlobalViewJob(explained=ExplainJob(experiment=CELLS, explainer=FEW, target=5)), "no class 5"),
        (PartialDependenceJob(explained=ExplainJob(experiment=CELLS, explainer=FEW), column=30), "no column 30"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_queued(job, word, settings):
    with pytest.raises(SpecError, match=word):
        job.check(settings)


def test_the_present_example_is_drawn_beside_the_others(settings):
    job, wanted = JOBS["dependence"]
    own = [
        load_result(
            wanted,
            next(
                item.data
                for item in run_inline(job.but(explained=job.explained.but(example=ExampleRef(index=index))), settings)
                if isinstance(item, Artifact)
            ),
        )
        for index in (0, 1)
    ]
    assert own[0].own_value != own[1].own_value
    assert np.array_equal(own[0].values, own[1].values)
    assert own[0].name == "mean area"
