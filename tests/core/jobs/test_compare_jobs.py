"""Predictions of examples as they are and as they were changed, and two models held against each other, through the jobs."""

import io

import numpy as np
import pytest
from PIL import Image

from core.data.own.keep import keep_upload
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Iris
from core.errors import SpecError
from core.events import Artifact
from core.explanation.integrated import IntegratedGradients
from core.jobs.compare_lenses import DisagreementJob, PredictionJob, Rival
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import ExampleRef, ExplainJob
from core.jobs.training import TrainJob
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.results.disagreement import Disagreement
from core.results.prediction import Prediction
from core.settings import Settings
from tests.core.samples import linear, spiral, stack

CNN = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64)
IRIS = spiral(data=Iris(), model=stack(linear(8), "Tanh", linear(3)), steps=60)
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings, shelf=None):
    items = list(run_inline(job, settings, shelf=shelf or MemoryShelf()))
    data = next(item.data for item in items if isinstance(item, Artifact))
    return load_result(wanted, data)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_that_was_not_changed_is_predicted_as_before(settings):
    plain = result(PredictionJob(experiment=DIGITS, example=ExampleRef(index=3)), Prediction, settings)
    digest = keep_upload(png(plain.pixels), "changed.png", settings).digest
    again = result(PredictionJob(experiment=DIGITS, example=ExampleRef(file=digest, retouched=True)), Prediction, settings)
    np.testing.assert_allclose(again.probabilities, plain.probabilities, atol=1e-6)
    np.testing.assert_array_equal(again.pixels, plain.pixels)
    assert (plain.label >= 0, again.label) == (True, -1)
    assert plain.segments.shape == plain.pixels.shape
    assert plain.mean_colour.shape == (1,)


def test_a_light_picture_is_not_inverted_when_it_was_painted_on(settings):
    digest = keep_upload(png(np.full((8, 8), 255, np.uint8)), "white.png", settings).digest
    found = result(PredictionJob(experiment=DIGITS, example=ExampleRef(file=digest, retouched=True)), Prediction, settings)
    assert found.pixels.min() == 255


def test_a_changed_row_is_predicted_and_explained(settings):
    plain = result(PredictionJob(experiment=IRIS, example=ExampleRef(index=2)), Prediction, settings)
    ref = ExampleRef(index=2, values=((2, 6.5),))
    changed = result(PredictionJob(experiment=IRIS, example=ref), Prediction, settings)
    assert changed.raw[2] == np.float32(6.5)
    assert not np.allclose(changed.probabilities, plain.probabilities)
    assert (plain.raw_low <= plain.raw_high).all()
    found = result(ExplainJob(experiment=IRIS, example=ref, explainer=IntegratedGradients(), target=0), Attribution, settings)
    assert found.feature_values[2] == pytest.approx(6.5)


def test_a_point_is_moved(settings):
    points = spiral()
    plain = result(PredictionJob(experiment=points, example=ExampleRef(index=2)), Prediction, settings)
    assert plain.raw_names == ("x1", "x2")
    assert (plain.raw_low.tolist(), plain.raw_high.tolist()) == ([-6.0, -6.0], [6.0, 6.0])
    moved = result(PredictionJob(experiment=points, example=ExampleRef(index=2, values=((0, 5.0),))), Prediction, settings)
    assert moved.raw.tolist() == [5.0, float(plain.raw[1])]
    assert not np.allclose(moved.probabilities, plain.probabilities)


def test_a_hidden_word_is_not_read(settings):
    plain = result(PredictionJob(experiment=SENTENCES, example=ExampleRef(index=1)), Prediction, settings)
    place = next(i for i, token in enumerate(plain.tokens) if token)
    hidden = result(PredictionJob(experiment=SENTENCES, example=ExampleRef(index=1, hidden=(place,))), Prediction, settings)
    assert [token for token in hidden.tokens if token] == [token for token in plain.tokens if token][1:]
    assert not np.allclose(hidden.probabilities, plain.probabilities)


def test_two_moments_of_a_run_are_held_against_each_other(settings):
    shelf = MemoryShelf()
    for item in run_inline(TrainJob(experiment=IRIS), settings, shelf=shelf, run="r"):
        assert item is not None
    first, *_, last = shelf.references("r")
    job = DisagreementJob(experiment=IRIS, weights=last, rival=Rival(experiment=IRIS, weights=first), split="train", n=5)
    found = result(job, Disagreement, settings, shelf)
    assert (found.first_step, found.second_step) == (60, 0)
    assert found.first_score > found.second_score
    assert len(found.indices) == min(5, found.n_differ)
    assert (found.first != found.second).all()


def test_models_of_other_data_are_not_compared(settings):
    job = DisagreementJob(experiment=IRIS, rival=Rival(experiment=IRIS.but(seed=1)))
    with pytest.raises(SpecError, match="different data"):
        job.check(settings)


def test_a_class_is_not_held_against_itself(settings):
    job = ExplainJob(experiment=IRIS, explainer=IntegratedGradients(), target=1, contrast=1)
    with pytest.raises(SpecError, match="against itself"):
        job.check(settings)
