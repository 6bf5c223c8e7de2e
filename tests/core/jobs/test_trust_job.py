"""The job that tests an explanation, on pictures, tables, numbers, sentences, and points in the plane."""

import pytest

from core.data.evidence import KnownEvidence
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import SpecError
from core.events import Artifact, Failed, Progressed
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.menu import AnyExplainer
from core.jobs.inline import run_inline
from core.jobs.lenses import ExampleRef, ExplainJob
from core.jobs.trust_lenses import TrustJob
from core.optim.losses import MeanSquaredError
from core.results.attribution import Attribution
from core.results.codec import load_result, result_bytes
from core.results.trust import Trust
from core.settings import Settings
from core.spec import choices
from tests.core.samples import linear, spiral, stack

CNN = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU", ("MaxPool2d", {"kernel_size": 2}), "Flatten", linear(4))
PICTURES = spiral(data=KnownEvidence(n_examples=200), model=CNN)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError())
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER)
KINDS = {"pictures": PICTURES, "numbers": NUMBERS, "sentences": SENTENCES, "points": spiral()}
CASES = [
    (name, cls.model_fields["kind"].default)
    for name, experiment in KINDS.items()
    for cls in choices(AnyExplainer)
    if cls().reason_against(experiment.data.profile(), tuple(layer.kind for layer in experiment.model.layers)) is None
]


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings):
    items = list(run_inline(job, settings))
    assert not [item for item in items if isinstance(getattr(item, "event", None), Failed)]
    return load_result(wanted, next(item.data for item in items if isinstance(item, Artifact)))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_method_can_be_tested_on_all_data_that_it_applies_to(name, kind, settings):
    method = next(cls() for cls in choices(AnyExplainer) if cls.model_fields["kind"].default == kind)
    job = TrustJob(explained=ExplainJob(experiment=KINDS[name], explainer=method, example=ExampleRef(index=3)))
    found = result(job, Trust, settings)
    assert found.method == kind
    assert found.verdict in ("good", "mixed", "random")
    assert found.deletion[0] == pytest.approx(found.insertion[-1], rel=1e-4, abs=1e-6)
    assert found.n_evaluations > 50
    assert result_bytes(found)


def test_evidence_counts_for_the_true_class_alone(settings):
    explained = ExplainJob(experiment=PICTURES, explainer=IntegratedGradients(), example=ExampleRef(split="test", index=5))
    found = [result(TrustJob(explained=explained.but(target=target)), Trust, settings) for target in range(4)]
    with_evidence = [one for one in found if one.mass is not None]
    assert len(with_evidence) == 1
    name = with_evidence[0].target_name
    assert all(name in one.notes[0] for one in found if one.mass is None)


def test_it_explains_against_a_class_and_in_probability(settings):
    explained = ExplainJob(experiment=PICTURES, explainer=IntegratedGradients(), target=0, contrast=2, unit="probability")
    found = result(TrustJob(explained=explained), Trust, settings)
    assert found.unit == "probability"
    assert "not" in found.target_name
    assert abs(found.deletion).max() <= 1


def test_what_does_not_apply_is_refused_in_words(settings):
    with pytest.raises(SpecError, match="Grad-CAM"):
        TrustJob(explained=ExplainJob(experiment=NUMBERS, explainer=GradCam())).check(settings)


def test_it_takes_longer_for_a_larger_model_and_reports_on_the_way(settings):
    small = TrustJob(explained=ExplainJob(experiment=PICTURES, explainer=IntegratedGradients()))
    large = stack(("Conv2d", {"out_channels": 64, "padding": 1}), "ReLU", *CNN_TAIL)
    found = result(small.explained, Attribution, settings)
    other = small.but(explained=small.explained.but(experiment=PICTURES.but(model=large)))
    assert 0 < small.seconds(found) < other.seconds(found)
    events = [item.event for item in run_inline(small, settings) if not isinstance(item, Artifact)]
    assert [event for event in events if isinstance(event, Progressed)][-1].total > 1000


CNN_TAIL = (("MaxPool2d", {"kernel_size": 2}), "Flatten", linear(4))
