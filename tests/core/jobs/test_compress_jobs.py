"""A run is made smaller: the report counts what is written, and what is kept can be looked at like any other weights."""

import math
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load

from core.compression.distillation import Distillation
from core.compression.half import HalfPrecision
from core.compression.measure import counts, one_thread
from core.compression.menu import AnyCompression
from core.compression.pruning import MagnitudePruning, StructuredPruning
from core.compression.quantised import DynamicInt8, StaticInt8
from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import NotApplicable, SpecError
from core.events import Artifact, EpochDone, Failed, Finished, Progressed, Started, Stop
from core.experiment.experiment import Budget
from core.experiment.origin import Origin
from core.explanation.gradient import Saliency
from core.jobs import compress
from core.jobs.compress import FILE, CompressJob, PruningSweepJob
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.lenses import RESULT, ActivationsJob, ExplainJob
from core.jobs.menu import parse_job
from core.jobs.training import TrainJob
from core.models.model import infer
from core.optim.losses import MeanSquaredError
from core.results.activations import ActivationMaps
from core.results.attribution import Attribution
from core.results.codec import load_result, result_bytes
from core.results.compression import CompressionReport
from core.results.predictions import Predictions
from core.results.pruning_sweep import PruningSweep
from core.run_fold import RunFold
from core.settings import Settings
from core.spec import choices
from core.training.checkpoints import load_weights
from tests.core.samples import linear, spiral, stack

SETTINGS = Settings()
CNN = stack(("Conv2d", {"out_channels": 8, "kernel_size": 3, "stride": 2}), "BatchNorm2d", "ReLU", "Flatten", linear(10))
DIGITS = spiral(data=Digits(), model=CNN, batch_size=32, budget=Budget(epochs=2))
SHAPE = DIGITS.data.profile().input_shape
WAYS = [
    MagnitudePruning(sparsity=0.8),
    StructuredPruning(epochs=1),
    DynamicInt8(),
    StaticInt8(),
    HalfPrecision(),
    Distillation(epochs=1),
]


@pytest.fixture(scope="module")
def shelf() -> MemoryShelf:
    """A short run on digits."""
    kept = MemoryShelf()
    with one_thread():
        list(run_inline(TrainJob(experiment=DIGITS), SETTINGS, shelf=kept, run="trained"))
    return kept


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("core.compression.measure.TIMED_S", 0.0)


def job_of(shelf, way, **fields) -> CompressJob:
    return CompressJob(experiment=DIGITS, weights=shelf.references("trained")[-1], compression=way, **fields)


def artifacts(job, shelf, run="smaller") -> dict[str, bytes]:
    items = list(run_inline(job, SETTINGS, shelf=shelf, run=run))
    failed = [item.event for item in items if not isinstance(item, Artifact) and isinstance(item.event, Failed)]
    assert not failed, failed
    return {item.name: item.data for item in items if isinstance(item, Artifact)}


def report_of(job, shelf, run="smaller") -> CompressionReport:
    return load_result(CompressionReport, artifacts(job, shelf, run)[RESULT])


def looked(shelf, cls, wanted, experiment, ref, **fields):
    job = cls(experiment=experiment, weights=ref, **fields)
    job.check(SETTINGS)
    return load_result(wanted, artifacts(job, shelf, run="look")[RESULT])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_a_compressed_model_can_be_looked_at_like_any_other(shelf, way):
    job = job_of(shelf, way)
    job.check(SETTINGS)
    kept = artifacts(job, shelf, run=way.kind)
    report, smaller = load_result(CompressionReport, kept[RESULT]), job.trained()
    (ref,) = shelf.references(way.kind)
    state, step = load_weights(shelf.read(ref.run, ref.name, ref.sha256))
    assert step == report.step > 0
    assert sum(value.numel() for name, value in state.items() if name.endswith(("weight", "bias"))) == report.parameters[1]
    assert infer(smaller.model, SHAPE).n_parameters == report.parameters[1]
    maps = looked(shelf, ActivationsJob, ActivationMaps, smaller, ref)
    assert np.isfinite(maps.logits).all()
    assert looked(shelf, ExplainJob, Attribution, smaller, ref, explainer=Saliency())
    said = looked(shelf, PredictionsJob, Predictions, smaller, ref, split="validation")
    before = looked(shelf, PredictionsJob, Predictions, DIGITS, shelf.references("trained")[-1], split="validation")
    accuracies = [float((one.predicted == one.labels).mean()) for one in (before, said)]
    assert report.score[0, 0] == accuracies[0]
    if report.shown_agreement == 1:
        assert report.score[1, 0] == pytest.approx(accuracies[1], abs=1e-12)
        assert report.agreement == (before.predicted == said.predicted).mean()
    assert report.shown_agreement > 0.95


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_sizes_are_those_of_the_files(shelf, way, tmp_path):
    kept = artifacts(job_of(shelf, way), shelf)
    report, path = load_result(CompressionReport, kept[RESULT]), tmp_path / FILE
    path.write_bytes(kept[FILE])
    assert path.stat().st_size == report.size_bytes[1]
    with zipfile.ZipFile(tmp_path / "file.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "model.safetensors")
    assert abs((tmp_path / "file.zip").stat().st_size - report.zipped_bytes[1]) < 10
    assert load(kept[FILE])
    assert len(report.latencies) == 2
    assert all(one.shape[0] == 2 and (one > 0).all() for one in report.latencies)
    assert load_result(CompressionReport, result_bytes(report)).layers == report.layers


def test_zeros_alone_do_not_shrink_a_file_but_its_zip(shelf):
    report = report_of(job_of(shelf, MagnitudePruning(sparsity=0.8)), shelf)
    assert report.size_bytes[0] == report.size_bytes[1]
    assert report.zipped_bytes[1] < 0.5 * report.zipped_bytes[0]
    assert report.multiply_adds[0] == report.multiply_adds[1] == infer(CNN, SHAPE).multiply_adds
    assert report.useful_multiply_adds[1] < 0.5 * report.multiply_adds[1]
    n, zeros = report.weights.sum(0)
    assert zeros == round(0.8 * n)
    assert report.parameters[1] - report.nonzero[1] >= zeros


def test_the_stack_of_the_smaller_model_is_known_before_it_is_made(shelf):
    job = job_of(shelf, StructuredPruning(sparsity=0.5))
    smaller = job.trained()
    assert smaller.model.layers[0].out_channels == 4
    assert smaller.lanes == DIGITS.lanes
    report = report_of(job, shelf)
    assert report.multiply_adds[1] == infer(smaller.model, SHAPE).multiply_adds < report.multiply_adds[0]
    assert report.size_bytes[1] < report.size_bytes[0]
    assert parse_job(job.model_dump_json()) == job


def test_a_student_of_ones_own_is_trained(shelf):
    student = stack("Flatten", linear(10))
    job = job_of(shelf, Distillation(epochs=1), student=student)
    job.check(SETTINGS)
    report = report_of(job, shelf, run="student")
    assert job.trained().model == student
    assert report.parameters[1] == infer(student, SHAPE).n_parameters
    assert report.score[1, 0] > 0.5
    assert len(report.losses) == 1
    with pytest.raises(SpecError):
        job_of(shelf, Distillation(), student=stack("Flatten", linear(3))).check(SETTINGS)


def test_what_does_not_apply_is_refused_before_anything_runs(shelf):
    only = DIGITS.but(model=stack("Flatten", linear(10)))
    with pytest.raises(NotApplicable, match="no hidden"):
        CompressJob(experiment=only, compression=StructuredPruning()).check(SETTINGS)
    with pytest.raises(NotApplicable, match="no hidden"):
        PruningSweepJob(experiment=only).check(SETTINGS)
    PruningSweepJob(experiment=only, methods=("magnitude",)).check(SETTINGS)
    with pytest.raises(SpecError, match="must rise"):
        PruningSweepJob(experiment=DIGITS, sparsities=(0.5, 0.1)).check(SETTINGS)


def test_the_live_run_and_the_number_of_threads_stay_as_they_are(shelf):
    ref, threads = shelf.references("trained")[-1], torch.get_num_threads()
    before = shelf.read(ref.run, ref.name, ref.sha256)
    report_of(job_of(shelf, MagnitudePruning(epochs=1)), shelf)
    assert shelf.read(ref.run, ref.name, ref.sha256) == before
    assert torch.get_num_threads() == threads


def test_a_compressed_model_is_compressed_again(shelf):
    first = job_of(shelf, StructuredPruning())
    artifacts(first, shelf, run="first")
    second = CompressJob(experiment=first.trained(), weights=shelf.references("first")[-1], compression=DynamicInt8())
    second.check(SETTINGS)
    report = report_of(second, shelf, run="second")
    assert report.parameters[0] == infer(first.trained().model, SHAPE).n_parameters


def test_training_goes_on_from_a_compressed_model(shelf):
    job = job_of(shelf, StructuredPruning())
    artifacts(job, shelf, run="cut")
    (ref,) = shelf.references("cut")
    origin = Origin(run=ref.run, name=ref.name, sha256=ref.sha256, step=1)
    fork = job.trained().but(origin=origin, budget=Budget(epochs=None, steps=3))
    artifacts(TrainJob(experiment=fork), shelf, run="fork")
    first, _ = load_weights(shelf.read(ref.run, ref.name, ref.sha256))
    after, _ = load_weights(shelf.read("fork", shelf.references("fork")[-1].name, shelf.references("fork")[-1].sha256))
    assert 0 < (after["0.weight"] - first["0.weight"]).abs().max() < 0.1


@pytest.mark.parametrize("way", [StaticInt8(), MagnitudePruning(epochs=1)], ids=lambda way: way.kind)
def test_the_table_of_runs_gets_the_figures_of_what_really_runs(shelf, way):
    items = list(run_inline(job_of(shelf, way, split="test"), SETTINGS, shelf=shelf))
    told = {type(item.event): item.event for item in items if not isinstance(item, Artifact)}
    report = load_result(CompressionReport, next(item.data for item in items if getattr(item, "name", "") == RESULT))
    assert told[Finished].test_accuracy == pytest.approx((report.score[1, 0],))
    assert told[Started].n_parameters == report.parameters[1]
    assert told[Started].series == DIGITS.series()
    fold = RunFold()
    for event in (told[Started], told[EpochDone], told[Finished]):
        fold.append(event)
    assert {"validation_accuracy", "test_accuracy", "validation_loss"} <= fold.figures().keys()
    assert told[EpochDone].step == told[Finished].step == report.step


def test_an_identity_tells_the_figures_of_the_run_that_it_was_made_of(shelf):
    told = [item.event for item in run_inline(TrainJob(experiment=DIGITS), SETTINGS) if not isinstance(item, Artifact)]
    last = next(event for event in reversed(told) if isinstance(event, EpochDone))
    again = run_inline(job_of(shelf, MagnitudePruning(sparsity=0.0)), SETTINGS, shelf=shelf)
    (epoch,) = [one.event for one in again if not isinstance(one, Artifact) and isinstance(one.event, EpochDone)]
    assert epoch.epoch == last.epoch
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert getattr(epoch, name) == pytest.approx(getattr(last, name))


def test_further_training_is_stopped(shelf):
    job = job_of(shelf, MagnitudePruning(epochs=50))
    *_, last = run_inline(job, SETTINGS, shelf=shelf, commands=[(0, Stop())])
    assert isinstance(last.event, Finished)
    assert last.event.reason == "stopped"


def test_progress_goes_on_behind_the_training(shelf):
    job = job_of(shelf, MagnitudePruning(epochs=1))
    items = run_inline(job, SETTINGS, shelf=shelf)
    told = [item.event for item in items if not isinstance(item, Artifact) and isinstance(item.event, Progressed)]
    assert {one.total for one in told[1:]} == {compress.MEASURING + math.ceil(DIGITS.data.profile().n_train / 32)}


def test_numbers_and_sentences_are_compressed_too():
    numbers = spiral(
        data=Diabetes(preparation=Preparation(scaling="standardise")),
        model=stack(linear(6), "Tanh", linear(1)),
        loss=MeanSquaredError(),
    )
    report = report_of(CompressJob(experiment=numbers, compression=StaticInt8()), MemoryShelf())
    assert not report.is_accuracy
    assert math.isnan(report.agreement)
    assert report.difference > 0
    assert np.isnan(report.change).all()
    assert (report.score[:, 1] <= report.score[:, 0]).all()
    reader = stack(
        ("Embedding", {"num_embeddings": 128, "embedding_dim": 4}), ("GRU", {"hidden_size": 4, "returns": "last"}), linear(2)
    )
    texts = spiral(data=Sentiment(n_examples=200), model=reader)
    report = report_of(CompressJob(experiment=texts, compression=DynamicInt8()), MemoryShelf())
    assert report.layers == ("3 Linear",)


def test_a_sweep_begins_with_the_original_and_ends_where_nothing_is_left(shelf):
    job = PruningSweepJob(experiment=DIGITS, weights=shelf.references("trained")[-1], sparsities=(0.0, 0.5, 0.99), draws=2)
    job.check(SETTINGS)
    sweep = load_result(PruningSweep, artifacts(job, shelf, run="sweep")[RESULT])
    assert sweep.methods == ("magnitude", "structured", "random")
    said = looked(shelf, PredictionsJob, Predictions, DIGITS, job.weights, split="validation")
    assert sweep.original[0] == (said.predicted == said.labels).mean()
    assert (sweep.scores[:, 0][~np.isnan(sweep.scores[:, 0])] == sweep.original[0]).all()
    assert (sweep.means()[:, 2] < sweep.original[0]).all()
    assert np.isnan(sweep.scores[:2, :, 1]).all()
    n_weights = 8 * 9 + 10 * 72
    np.testing.assert_allclose(sweep.zeros[0], [0, 0.5, round(0.99 * n_weights) / n_weights], atol=1e-3)
    assert sweep.parameters[1, 1] < sweep.parameters[0, 1]
    assert job.n_points == 3 * 4
    alone = report_of(job_of(shelf, MagnitudePruning(sparsity=0.5)), shelf)
    assert sweep.scores[0, 1, 0] == alone.score[1, 0]


def test_every_compression_says_what_it_is_and_where_it_is_from():
    for cls in choices(AnyCompression):
        assert cls.source
        assert cls().plan(CNN, SHAPE).treated


def test_counts_are_those_of_numpy():
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight[0, :2] = 0
    assert counts(layer) == (8, 6)
