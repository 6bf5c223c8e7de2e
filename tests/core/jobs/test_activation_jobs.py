"""The jobs behind the Activations lens."""

import numpy as np
import pytest
import torch

from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import NotApplicable, SpecError
from core.events import Artifact
from core.inspection import top_examples as top
from core.jobs.activation_lenses import (
    ActivationHistogramsJob,
    ActivationStatisticsJob,
    ConvolutionJob,
    ReceptiveFieldJob,
    TopExamplesJob,
)
from core.jobs.inline import run_inline
from core.jobs.lenses import ExampleRef
from core.models.model import build
from core.optim.losses import MeanSquaredError
from core.results.activation_histograms import ActivationHistograms
from core.results.activation_statistics import ActivationStatistics
from core.results.codec import load_result
from core.results.convolution import ConvolutionParts
from core.results.receptive_field import ReceptiveField
from core.results.top_examples import TopExamples
from core.settings import Settings
from tests.core.samples import linear, spiral, stack

CNN = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError())
GRU = ("GRU", {"hidden_size": 4, "returns": "sequence"})
READER = stack(("Embedding", {"num_embeddings": 128}), GRU, ("PoolTime", {}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings):
    job.check(settings)
    items = list(run_inline(job, settings))
    return load_result(wanted, next(item.data for item in items if isinstance(item, Artifact)))


def outputs(experiment, layer: int, split: str) -> np.ndarray:
    """What the layer gives for every example of a split."""
    splits = experiment.data.splits(0)
    model = build(experiment.model, splits.profile.input_shape, 0).eval()
    with torch.no_grad():
        return model[: layer + 1](torch.from_numpy(splits.model_input(getattr(splits, split).x))).numpy()


def test_the_examples_that_activate_a_channel_most_are_found_in_the_whole_split(settings):
    found = result(TopExamplesJob(experiment=DIGITS, layer=1, unit=2), TopExamples, settings)
    every = outputs(DIGITS, 1, "validation")[:, 2]
    best = every.max((1, 2))
    order = np.argsort(-best, kind="stable")[:12]
    assert found.indices.tolist() == order.tolist()
    assert np.allclose(found.values, best[order], atol=1e-6)
    splits = DIGITS.data.splits(0)
    assert found.labels.tolist() == splits.validation.y[order].tolist()
    for index, value, (row, column) in zip(found.indices, found.values, found.places, strict=True):
        assert every[index, row, column] == pytest.approx(value, abs=1e-6)
    assert found.fields.tolist() == [
        [max(0, row - 1), min(7, row + 1), max(0, column - 1), min(7, column + 1)] for row, column in found.places
    ]
    assert found.pixels.shape == (12, 8, 8)
    assert found.active_share == pytest.approx((best > 0).mean())
    assert found.mean == pytest.approx(best.mean(), abs=1e-5)
    assert (found.n_looked, found.n_split, found.layer_name) == (len(best), len(best), "2 ReLU")


def test_of_a_large_split_a_sample_is_looked_at_and_it_is_said(settings, monkeypatch):
    monkeypatch.setattr(top, "LIMIT", 40)
    found = result(TopExamplesJob(experiment=DIGITS, layer=3, unit=0, example=ExampleRef(split="train")), TopExamples, settings)
    assert found.n_looked == 40 < found.n_split
    assert found.places.tolist() == [[-1, -1]] * 12
    every = outputs(DIGITS, 3, "train")[:, 0]
    assert np.allclose(found.values, every[found.indices], atol=1e-5)
    assert (np.diff(found.values) <= 0).all()


def test_rows_come_with_their_columns_and_sentences_with_the_word(settings):
    rows = result(TopExamplesJob(experiment=NUMBERS, layer=0, unit=3, n=4), TopExamples, settings)
    assert rows.raw.shape == (4, len(rows.raw_names)) == (4, 10)
    assert len(rows.targets) == 4
    assert rows.target_name
    texts = result(TopExamplesJob(experiment=SENTENCES, layer=1, unit=0, n=3), TopExamples, settings)
    assert all(word == "" or word in text for word, text in zip(texts.words, texts.texts, strict=True))
    every = outputs(SENTENCES, 1, "validation")[:, :, 0]
    assert np.allclose(texts.values, np.sort(every.max(1))[::-1][:3], atol=1e-6)
    assert texts.places[:, 0].tolist() == every[texts.indices].argmax(1).tolist()


def test_still_units_are_counted_over_a_sample_of_the_examples_split(settings):
    job = ActivationStatisticsJob(experiment=DIGITS, example=ExampleRef(split="train"), n=50)
    found = result(job, ActivationStatistics, settings)
    assert (found.split, found.n_examples) == ("train", 50)
    assert found.n_split == len(DIGITS.data.splits(0).train)
    assert found.effects == ("", "dead", "", "")


def test_histograms_of_an_image_have_its_pixels(settings):
    found = result(ActivationHistogramsJob(experiment=DIGITS, example=ExampleRef(index=3)), ActivationHistograms, settings)
    assert found.pixel_counts.sum() == 64
    assert found.layer_names[1] == "2 ReLU"
    assert result(ActivationHistogramsJob(experiment=SENTENCES), ActivationHistograms, settings).pixel_counts is None


def test_a_convolution_and_the_fields_of_its_pixels_come_with_the_example(settings):
    parts = result(
        ConvolutionJob(experiment=DIGITS, path=(0,), channel=3, example=ExampleRef(index=2)), ConvolutionParts, settings
    )
    assert parts.inputs.shape == (1, 8, 8)
    assert np.allclose(parts.output, outputs(DIGITS, 0, "validation")[2, 3], atol=1e-6)
    assert parts.largest_difference < 1e-6
    fields = result(
        ReceptiveFieldJob(experiment=DIGITS, layer=0, unit=3, example=ExampleRef(index=2)), ReceptiveField, settings
    )
    assert np.allclose(fields.map, parts.output, atol=1e-6)
    assert fields.rows[0].tolist() == [0, 1]
    assert fields.size == (3, 3)
    assert fields.picture.shape == (8, 8)


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        (TopExamplesJob(experiment=DIGITS, layer=9, unit=0), SpecError, "no layer 10"),
        (TopExamplesJob(experiment=DIGITS, layer=1, unit=4), SpecError, "no unit 4"),
        (ConvolutionJob(experiment=DIGITS, path=(1,)), NotApplicable, "no Conv2d"),
        (ConvolutionJob(experiment=DIGITS, path=(7, 0, 1)), SpecError, "no such layer"),
        (ConvolutionJob(experiment=DIGITS, path=(0,), channel=4), SpecError, "no output map 4"),
        (ReceptiveFieldJob(experiment=NUMBERS, layer=0), NotApplicable, "drawn on images"),
        (ReceptiveFieldJob(experiment=DIGITS, layer=3), NotApplicable, "receptive field"),
        (ReceptiveFieldJob(experiment=DIGITS, layer=9), SpecError, "no such layer"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_before_anything_runs(settings, job, error, message):
    with pytest.raises(error, match=message):
        job.check(settings)
