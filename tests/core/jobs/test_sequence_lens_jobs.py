"""Lens jobs on texts and on patches of images."""

import numpy as np
import pytest

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.errors import NotApplicable, SpecError
from core.events import Artifact
from core.explanation.explainer import Subject
from core.explanation.text_gradient import LayerIntegratedGradients
from core.explanation.text_lime import LimeText
from core.explanation.text_shap import ShapText
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import ExampleRef, ExplainJob
from core.jobs.sequence_lenses import AttentionJob, HiddenStatesJob, ReadingJob
from core.jobs.work.desk import WorkDesk
from core.results.attention import AttentionMaps
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.results.hidden_states import HiddenStates, Reading
from core.settings import Settings
from tests.core.samples import linear, spiral, stack

EMBEDDING = ("Embedding", {"num_embeddings": 128, "embedding_dim": 8})
LSTM = ("LSTM", {"hidden_size": 4, "num_layers": 2, "bidirectional": True, "returns": "sequence"})
BLOCK = ("TransformerEncoder", {"num_heads": 2, "dim_feedforward": 8})
SENTENCES = spiral(
    data=Sentiment(n_examples=200), model=stack(EMBEDDING, LSTM, ("SelfAttention", {}), ("PoolTime", {}), linear(2))
)
PATCHES = stack(("PatchEmbed", {"patch_size": 4, "embedding_dim": 8, "class_token": True}), BLOCK, ("PoolTime", {}), linear(10))
DIGITS = spiral(data=Digits(), model=PATCHES, batch_size=64)
POINTS = spiral()
THIRD = ExampleRef(index=3)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings):
    items = list(run_inline(job, settings))
    return load_result(wanted, next(item.data for item in items if isinstance(item, Artifact)))


def test_hidden_states_come_with_their_tokens_and_parts(settings):
    found = result(HiddenStatesJob(experiment=SENTENCES, example=THIRD), HiddenStates, settings)
    splits = Sentiment(n_examples=200).splits(0)
    assert found.steps == tuple(splits.vocabulary[i] if i else "" for i in splits.validation.x[3])
    assert found.is_text
    assert found.parts == ("layer 1, forward", "layer 1, backward", "layer 2, forward", "layer 2, backward")
    assert {one.shape for one in (*found.states, *found.cells)} == {(len(found.steps), 4)}
    assert np.allclose(found.norms[1], np.sqrt((found.states[1] ** 2).sum(1)), atol=1e-6)
    assert found.has_cells
    assert (found.name, found.layer) == ("2 LSTM", 1)
    assert found.residual < 1e-5


def test_attention_of_a_text_sums_to_one_and_tells_what_lies_on_padding(settings):
    found = result(AttentionJob(experiment=SENTENCES, example=THIRD), AttentionMaps, settings)
    assert found.is_text
    assert found.weights.shape == (2, len(found.steps), len(found.steps))
    assert np.allclose(found.weights.sum(-1), 1, atol=1e-6)
    is_padding = np.array([not name for name in found.steps])
    assert found.padding_share(1, 9) == pytest.approx(float(found.weights[1, 9, is_padding].sum()))
    assert found.from_step(None, None) == pytest.approx(found.weights.mean((0, 1)))
    assert found.picture is None


def test_attention_of_patches_comes_with_their_grid_and_the_picture(settings):
    found = result(AttentionJob(experiment=DIGITS, example=THIRD), AttentionMaps, settings)
    assert (found.rows, found.columns, found.n_before) == (2, 2, 1)
    assert found.steps[0] == "class token"
    assert found.steps[2] == "row 1, column 2"
    assert found.picture.shape == (8, 8)
    assert found.padding_share(0, 0) == 0


def test_what_is_said_after_each_token_ends_with_what_is_said_of_the_text(settings):
    found = result(ReadingJob(experiment=SENTENCES, example=THIRD), Reading, settings)
    whole = result(ExplainJob(experiment=SENTENCES, example=THIRD, explainer=LimeText(), target=1), Attribution, settings)
    assert found.probabilities.shape == (len(found.tokens) + 1, 2)
    assert found.probabilities[-1, 1] == pytest.approx(whole.probability, abs=1e-6)
    assert "" not in found.tokens


@pytest.mark.parametrize(
    ("job", "error", "words"),
    [
        (HiddenStatesJob(experiment=POINTS), NotApplicable, "Add a GRU"),
        (AttentionJob(experiment=POINTS), NotApplicable, "Add a SelfAttention"),
        (ReadingJob(experiment=DIGITS), NotApplicable, "texts"),
        (HiddenStatesJob(experiment=SENTENCES, place=1), SpecError, "numbered 0 to 0"),
        (ExplainJob(experiment=POINTS, explainer=ShapText()), SpecError, "no texts"),
    ],
)
def test_what_does_not_apply_is_refused_before_it_runs(job, error, words, settings):
    with pytest.raises(error) as refused:
        job.check(settings)
    assert words in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("method", [ShapText(), LayerIntegratedGradients(), LimeText()], ids=lambda one: one.kind)
@pytest.mark.parametrize(("contrast", "unit"), [(0, "logit"), (0, "probability"), (None, "probability")])
def test_a_text_is_explained_against_another_class_and_in_probability(method, contrast, unit, settings):
    job = ExplainJob(experiment=SENTENCES, example=THIRD, explainer=method, target=1, contrast=contrast, unit=unit)
    job.check(settings)
    found = result(job, Attribution, settings)
    desk = WorkDesk(settings, MemoryShelf(), lambda event: None, lambda: False)
    subject: Subject = job.subject(desk)
    outputs = subject.module(subject.x).detach().double()
    said = outputs.softmax(1) if unit == "probability" else outputs
    expected = said[0, 1] - (said[0, 0] if contrast == 0 else 0)
    assert found.output == pytest.approx(float(expected), abs=1e-6)
    assert found.input.dtype == np.int64
    assert found.feature_names == subject.tokens
    assert (found.values[found.input == 0] == 0).all()
    if found.residual is not None:
        assert abs(found.residual) < 0.01
        assert float(found.values.sum(dtype=float)) == pytest.approx(found.output - found.base + found.residual, abs=1e-5)
