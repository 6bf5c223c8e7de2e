"""The jobs behind Errors and Robustness, from a trained run to their results."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from core.data.disturbance import Blur, ColumnNoise, FastGradientSign, PixelNoise, TokenDropping
from core.data.own.keep import keep_upload
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes, Iris
from core.errors import NotApplicable, SpecError
from core.events import Artifact, Failed
from core.experiment.experiment import Budget, Lane
from core.jobs.error_lenses import (
    ConfusionOverTimeJob,
    DisturbedExampleJob,
    ExamplesJob,
    RobustnessJob,
    SlicesJob,
    some_places,
)
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ExampleRef
from core.jobs.training import TrainJob
from core.optim.losses import MeanAbsoluteError
from core.results.codec import load_result
from core.results.confusion import ConfusionOverTime
from core.results.examples import ExampleGallery
from core.results.predictions import Predictions
from core.results.robustness import DisturbedExample, Robustness
from core.results.slices import Slices
from core.settings import Settings
from tests.core.samples import linear, optimizer_like, spiral, stack

IRIS = spiral(data=Iris(), model=stack(linear(8), "Tanh", linear(3)), steps=60)
DIGITS = spiral(data=Digits(), model=stack("Flatten", linear(10)))
NUMBERS = spiral(data=Diabetes(), model=stack(linear(4), "Tanh", linear(1)), loss=MeanAbsoluteError())
READER = spiral(
    data=Sentiment(n_examples=200),
    model=stack(("Embedding", {"num_embeddings": 128}), ("PoolTime", {}), linear(2)),
)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings, shelf=None):
    items = list(run_inline(job, settings, shelf=shelf or MemoryShelf()))
    data = next(item.data for item in items if isinstance(item, Artifact))
    return load_result(wanted, data)


def test_the_matrix_over_time_is_sklearns_at_every_kept_moment(settings):
    shelf = MemoryShelf()
    for item in run_inline(TrainJob(experiment=IRIS), settings, shelf=shelf, run="r"):
        assert item is not None
    refs = tuple(shelf.references("r"))
    found = result(ConfusionOverTimeJob(experiment=IRIS, split="train", checkpoints=refs), ConfusionOverTime, settings, shelf)
    assert len(found.steps) == min(24, len(refs))
    assert (np.diff(found.steps) > 0).all()
    assert (found.steps[0], found.steps[-1]) == (0, 60)
    said = result(PredictionsJob(experiment=IRIS, split="train", weights=refs[-1]), Predictions, settings, shelf)
    np.testing.assert_array_equal(found.counts[-1], confusion_matrix(said.labels, said.predicted, labels=range(3)))
    assert (found.n_examples, found.n_in_split) == (len(said.labels), len(said.labels))


def test_of_a_lane_that_diverged_nothing_is_counted_and_its_moments_are_left_out(settings):
    shelf = MemoryShelf()
    deep = stack(linear(64), "ReLU", linear(64), "ReLU", linear(64), "ReLU", linear(3))
    lanes = (*IRIS.lanes, Lane(optimizer=optimizer_like("sgd", 10.0)))
    race = IRIS.but(model=deep, lanes=lanes, budget=Budget(epochs=None, steps=40))
    assert list(run_inline(TrainJob(experiment=race), settings, shelf=shelf, run="r"))
    refs = tuple(shelf.references("r"))
    lost = {"experiment": race, "weights": refs[-1], "series": 1}
    noise = {"disturbance": ColumnNoise()}
    for kind, more in ((PredictionsJob, {}), (SlicesJob, {}), (RobustnessJob, noise), (DisturbedExampleJob, noise)):
        *_events, end = run_inline(kind(**lost, **more), settings, shelf=shelf)
        assert isinstance(end.event, Failed)
        assert "not a number" in end.event.message
    found = result(ConfusionOverTimeJob(experiment=race, series=1, checkpoints=refs), ConfusionOverTime, settings, shelf)
    assert found.steps[0] == 0
    assert found.steps[-1] < 40
    assert found.n_diverged
    assert len(found.steps) + found.n_diverged == min(24, len(refs))


def test_a_lane_has_no_matrix_before_it_joined(settings):
    shelf = MemoryShelf()
    both = IRIS.but(lanes=(*IRIS.lanes, Lane(optimizer=optimizer_like("sgd"))), budget=Budget(epochs=None, steps=4))
    for run, experiment in (("alone", IRIS.but(budget=both.budget)), ("two", both)):
        assert list(run_inline(TrainJob(experiment=experiment), settings, shelf=shelf, run=run))
    alone, two = shelf.references("alone"), shelf.references("two")
    job = ConfusionOverTimeJob(experiment=both, series=1, checkpoints=(*alone, *two))
    assert len(result(job, ConfusionOverTime, settings, shelf).steps) == len(two)


def test_numbers_have_no_confusion_matrix(settings):
    ref = ArtifactRef(run="r", name="x", sha256="0" * 64)
    with pytest.raises(NotApplicable, match="no confusion matrix"):
        ConfusionOverTimeJob(experiment=NUMBERS, checkpoints=(ref,)).check(settings)


@pytest.mark.parametrize("experiment", [IRIS, DIGITS, NUMBERS, READER, spiral()], ids=lambda one: one.data.kind)
def test_every_kind_of_data_has_slices(experiment, settings):
    found = result(SlicesJob(experiment=experiment, split="validation"), Slices, settings)
    assert found.n_examples == experiment.data.profile().n_validation
    assert all(len(members) == n for members, n in zip(found.members, found.n, strict=True))
    assert found.is_regression == (experiment is NUMBERS)


def test_at_strength_0_the_accuracy_is_that_of_the_predictions(settings):
    said = result(PredictionsJob(experiment=DIGITS), Predictions, settings)
    job = RobustnessJob(experiment=DIGITS, disturbance=FastGradientSign(), n_strengths=3, n_examples=5_000)
    found = result(job, Robustness, settings)
    assert found.score[0] == (said.predicted == said.labels).mean()
    np.testing.assert_allclose(found.strengths, [0, 12, 24])
    assert found.score[-1] < found.score[0] or found.score[0] < 0.2
    some = result(job.but(n_examples=50), Robustness, settings)
    chosen = some_places(len(said.labels), 50, DIGITS.seed)
    assert some.score[0] == (said.predicted == said.labels)[chosen].mean()
    assert (some.n_examples, some.n_in_split) == (50, len(said.labels))


def test_one_example_is_shown_under_every_strength(settings):
    ref = ExampleRef(split="test", index=4)
    job = DisturbedExampleJob(experiment=DIGITS, example=ref, disturbance=PixelNoise(), n_strengths=4)
    found = result(job, DisturbedExample, settings)
    said = result(PredictionsJob(experiment=DIGITS), Predictions, settings)
    assert found.label == said.labels[4]
    np.testing.assert_allclose(found.probabilities[0], said.probabilities[4], atol=1e-6)
    assert found.pixels.shape == (4, 8, 8)
    assert (found.pixels[0] != found.pixels[-1]).any()
    words = result(job.but(experiment=READER, disturbance=TokenDropping()), DisturbedExample, settings)
    lengths = [len(text.split()) for text in words.texts]
    assert lengths == sorted(lengths, reverse=True)
    rows = result(job.but(experiment=NUMBERS, disturbance=ColumnNoise()), DisturbedExample, settings)
    assert rows.raw.shape == (4, len(rows.raw_names))
    assert rows.values.shape == (4,)


def test_a_picture_of_the_visitors_own_is_disturbed_too(settings):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[2:6, 3:5] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    digest = keep_upload(buffer.getvalue(), "own.png", settings).digest
    for disturbance in (Blur(), FastGradientSign()):
        job = DisturbedExampleJob(experiment=DIGITS, example=ExampleRef(file=digest), disturbance=disturbance, n_strengths=3)
        found = result(job, DisturbedExample, settings)
        assert found.label == -1
        np.testing.assert_array_equal(found.pixels[0], pixels)


def test_what_does_not_apply_is_refused_before_anything_runs(settings):
    with pytest.raises(NotApplicable, match="these data are texts"):
        RobustnessJob(experiment=READER, disturbance=Blur()).check(settings)


def test_chosen_examples_come_in_the_order_in_which_they_were_asked_for(settings):
    found = result(ExamplesJob(data=Digits(), split="test", places=(7, 2)), ExampleGallery, settings)
    assert found.indices.tolist() == [7, 2]
    np.testing.assert_array_equal(found.labels, Digits().splits(0).test.y[[7, 2]])
    with pytest.raises(SpecError, match="no example 99,999"):
        ExamplesJob(data=Digits(), places=(99_999,)).check(settings)
