"""Lens jobs on numbers, sentences, and pictures of the visitor's own."""

import io

import numpy as np
import pytest
from PIL import Image

from core.data.own.keep import keep_upload
from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import MissingData, SpecError
from core.events import Artifact, Failed
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.lime_method import LimeImage
from core.explanation.shap_method import ShapTabular
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import ActivationsJob, ExampleRef, ExplainJob, GalleryJob
from core.jobs.work.desk import WorkDesk
from core.optim.losses import BinaryCrossEntropy, MeanSquaredError
from core.results.activations import ActivationMaps
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.results.examples import ExampleGallery
from core.settings import Settings
from tests.core.samples import linear, spiral, stack

CNN = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=64)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError())
READER = stack(("Embedding", {"num_embeddings": 128}), ("GRU", {"hidden_size": 4}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings):
    items = list(run_inline(job, settings))
    data = next(item.data for item in items if isinstance(item, Artifact))
    return load_result(wanted, data)


def sign(width: int = 60, height: int = 90) -> bytes:
    """A white bar on black, far off the middle."""
    picture = np.zeros((height, width), np.uint8)
    picture[5:45, 8:14] = 255
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_predicted_number_comes_in_its_own_unit_with_the_right_one(settings):
    maps = result(ActivationsJob(experiment=NUMBERS, example=ExampleRef(index=4)), ActivationMaps, settings)
    splits = Diabetes().splits(0)
    assert maps.value == pytest.approx(float(maps.logits[0]) * splits.target_scale + splits.target_shift, rel=1e-6)
    assert maps.truth == pytest.approx(float(splits.originals[1].y[4]), rel=1e-5)
    assert maps.target_name == splits.profile.target_name
    assert (maps.label, maps.probabilities.shape) == (-1, (0,))


def test_a_sentence_comes_with_its_words(settings):
    maps = result(ActivationsJob(experiment=SENTENCES, example=ExampleRef(index=1)), ActivationMaps, settings)
    assert len(maps.tokens) == maps.maps[0].shape[0] == len(maps.input)
    assert maps.text.split()[0] in maps.tokens
    assert [token != "" for token in maps.tokens] == (maps.input != 0).tolist()


def test_the_gallery_shows_one_class_and_the_next_page(settings):
    job = GalleryJob(data=Digits(), n=5, only=3)
    first = result(job, ExampleGallery, settings)
    second = result(job.but(start=5), ExampleGallery, settings)
    assert set(first.labels) == set(second.labels) == {3}
    assert not set(first.indices) & set(second.indices)


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("pca", [None, 6])
def test_an_own_picture_is_looked_at_and_its_class_is_not_known(settings, drawn, pca):
    digest = keep_upload(sign(), "sign.png", settings).digest
    data = Digits(preparation=Preparation(scaling="unit", pca=pca))
    experiment = DIGITS if pca is None else DIGITS.but(data=data, model=stack(linear(10)))
    shown = ExampleRef(file=digest, drawn=drawn)
    maps = result(ActivationsJob(experiment=experiment, example=shown), ActivationMaps, settings)
    assert maps.label == -1
    assert maps.pixels.shape == (8, 8)
    assert maps.notes
    _row, column = np.unravel_index(int(maps.pixels.argmax()), (8, 8))
    assert (column in (3, 4)) == drawn  # centred, as MNIST's digits are
    if pca is None:
        assert np.allclose(maps.input[0], np.rint(maps.pixels * (16 / 255)) / 16, atol=1e-6)
    else:
        assert maps.input.shape == (6,)


def test_an_own_picture_can_be_explained(settings):
    digest = keep_upload(sign(), "sign.png", settings).digest
    job = ExplainJob(experiment=DIGITS, example=ExampleRef(file=digest, drawn=True), explainer=GradCam())
    found = result(job, Attribution, settings)
    assert found.pixels.shape == found.values.shape == (8, 8)


def test_a_picture_that_is_gone_is_said(settings):
    job = ActivationsJob(experiment=DIGITS, example=ExampleRef(file="0" * 64))
    desk = WorkDesk(settings, MemoryShelf(), lambda event: None, lambda: False)
    with pytest.raises(MissingData, match="not on this server"):
        job.result(desk)
    events = [item.event for item in run_inline(job, settings) if not isinstance(item, Artifact)]
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (ActivationsJob(experiment=NUMBERS, example=ExampleRef(file="a" * 64)), "no images"),
        (ExplainJob(experiment=SENTENCES, explainer=IntegratedGradients()), "a word cannot change a little"),
        (ExplainJob(experiment=SENTENCES, explainer=LimeImage()), "words"),
        (ExplainJob(experiment=NUMBERS, explainer=ShapTabular(), target=1), "no class 1"),
        (ExplainJob(experiment=DIGITS, explainer=ShapTabular()), "images"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_queued(job, message):
    with pytest.raises(SpecError, match=message) as raised:
        job.check(Settings())
    assert raised.value.hint


@pytest.mark.parametrize("digest", ["..", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_digest_is_no_path(digest):
    with pytest.raises(ValueError, match="file"):
        ExampleRef(file=digest)


def test_numbers_and_one_output_are_explained_by_a_job(settings):
    found = result(ExplainJob(experiment=NUMBERS, explainer=ShapTabular(n_background=10)), Attribution, settings)
    assert found.unit == found.target_name == Diabetes().profile().target_name
    assert found.feature_names == Diabetes().profile().feature_names
    one = spiral(model=stack(linear(4), "Tanh", linear(1)), loss=BinaryCrossEntropy())
    found = result(ExplainJob(experiment=one, explainer=IntegratedGradients(), target=1), Attribution, settings)
    assert (found.target_name, found.unit) == ("class 1", "logit")


def test_grad_cam_finds_the_convolution_inside_a_skip(settings):
    inner = stack(("Conv2d", {"out_channels": 4, "padding": 1}), "ReLU").layers
    net = stack(("Residual", {"layers": inner}), "Flatten", linear(10))
    found = result(ExplainJob(experiment=DIGITS.but(model=net), explainer=GradCam()), Attribution, settings)
    assert "1 (inner.0)" in found.notes[0]
