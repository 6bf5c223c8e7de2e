"""The real Menu of jobs in a real pool: what a kill, a refusal or a stop leaves, against the same training in this process."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import load

from core.data.augmentation import Cutout, RandomCrop
from core.data.rendered import Digits, RenderedDigits
from core.data.tabular import Iris
from core.data.toy import Spiral
from core.errors import SpecError
from core.events import (
    ArtifactSaved,
    Failed,
    Finished,
    HyperChanged,
    Pause,
    Paused,
    Planned,
    Progressed,
    Resume,
    SetHyper,
    Step,
    Stop,
)
from core.experiment.experiment import Budget, Experiment
from core.experiment.lane import Lane
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.lime_method import LimeImage
from core.explanation.shap_method import ShapSuperpixels
from core.jobs.cross_validation import CrossValidationJob
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ActivationsJob, ExampleRef, ExplainJob, GalleryJob
from core.jobs.training import TrainJob
from core.models.presets import preset
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Cosine, OneCycle
from core.results.activations import ActivationMaps
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.results.cross_validation import CrossValidation
from core.results.examples import ExampleGallery
from core.training.crossval import cross_validation
from tests.core.jobs.processes import descendants
from tests.core.jobs.real_pool import CHECKPOINT_S, CNN, CONV, RANDOM_MLP, RealPool, digits, uninterrupted, wild_net
from tests.core.jobs.test_jobs_recovery import is_alive, supervisor_pid
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.slow

ENDLESS = 10_000_000
MOMENTUM = Lane(optimizer=SGD(lr=0.02, momentum=0.9, nesterov=True), schedule=Cosine())
ADAM = Lane(optimizer=Adam(lr=0.003), schedule=OneCycle())
DROPPING = stack(CONV, "BatchNorm2d", "ReLU", ("Dropout", {"p": 0.3}), "Flatten", linear(10))
WIDE = stack("Flatten", linear(512), "ReLU", ("Dropout", {"p": 0.3}), linear(512), "ReLU", linear(10))
PICTURES = Experiment(
    data=Digits(),
    model=DROPPING,
    lanes=(ADAM,),
    augmentation=(RandomCrop(padding=1), Cutout()),
    batch_size=16,
    budget=Budget(epochs=None, steps=400),
    device="cpu",
)
SHORT = Budget(epochs=None, steps=120)
CASES = {
    "fast": PICTURES,
    "batched": spiral(steps=2500, model=stack(linear(8), "ReLU", linear(2)), lanes=(MOMENTUM, ADAM, MOMENTUM), repeats=2),
    "processes": PICTURES.but(model=WIDE, lanes=(MOMENTUM, ADAM), augmentation=(), batch_size=96, budget=SHORT),
}


@pytest.fixture(scope="module")
def like_a_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Arithmetic in this process as in a worker, and a data folder of its own."""
    before, threads = dict(os.environ), torch.get_num_threads()
    os.environ["LAYERWISE_HOME"] = str(tmp_path_factory.mktemp("inline"))
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def real_pool(tmp_path_factory: pytest.TempPathFactory, like_a_worker: None) -> Iterator[RealPool]:
    pool = RealPool(tmp_path_factory.mktemp("real") / "home", checkpoint_s=CHECKPOINT_S)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def trained(real_pool: RealPool):
    """A CNN that has learned digits: its job, and where its last weights are."""
    job = TrainJob(experiment=digits(CNN, steps=400))
    run = real_pool.end(job)
    last = real_pool.checkpoints(run.id)[-1]
    assert (run.state, last.step) == ("finished", 400)
    return job.experiment, ArtifactRef(run=run.id, name=last.name, sha256=last.sha256)


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    "experiment",
    [digits(RANDOM_MLP, steps=3000), digits(CNN, steps=2500, optimizer=SGD(lr=0.05, momentum=0.9))],
    ids=["MLP with dropout and batch norm", "CNN"],
)
def test_a_run_whose_worker_was_killed_has_the_curve_of_an_uninterrupted_one(real_pool, experiment):
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_step(run, real_pool.wait_for_checkpoint(run) + 20)
    real_pool.kill(run)
    record = real_pool.wait_for(run, "finished")
    assert (record.attempt, record.generation) == (2, 1)
    assert real_pool.started_at(run)[0] == 0
    assert 0 < real_pool.started_at(run)[1] < record.last_step
    assert real_pool.curves(run) == uninterrupted(experiment)


@pytest.mark.fault(81)
@pytest.mark.parametrize("executor", CASES)
def test_a_run_that_was_stopped_and_resumed_has_the_curve_of_an_uninterrupted_one(real_pool, executor):
    experiment = CASES[executor]
    steps = experiment.budget.steps
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_step(run, steps // 8)
    real_pool.client.command(run, Stop())
    stopped = real_pool.wait_for(run, "stopped", "finished")
    assert stopped.state == "stopped", "it was too fast for this test"
    assert real_pool.next_start(run) == stopped.last_step  # what was told has its weights
    before = real_pool.curves(run)[0]
    real_pool.client.command(run, Resume())
    assert real_pool.wait_for(run, "finished", "failed").last_step == steps
    plans = [event for event in real_pool.events(run) if isinstance(event, Planned)]
    assert {name for one in plans for name in one.executors} == {executor}
    assert real_pool.curves(run) == uninterrupted(experiment)
    assert [row[: stopped.last_step] for row in real_pool.curves(run)[0]] == before


def test_changes_before_and_after_the_last_checkpoint_outlive_a_kill(real_pool):
    experiment = digits(RANDOM_MLP, steps=6000)
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_checkpoint(run)
    real_pool.client.command(run, SetHyper(0, "lr", 0.02))
    real_pool.wait(lambda: real_pool.changes(run))
    real_pool.wait_for_checkpoint(run, max(real_pool.changes(run)))
    changed_at = real_pool.change_without_checkpoint(run, (0.001, 0.0011, 0.0012, 0.0013))
    made = real_pool.replayed(run)
    real_pool.kill(run)
    real_pool.wait_for(run, "finished")
    assert min(real_pool.changes(run)) < real_pool.started_at(run)[1] <= changed_at
    assert real_pool.replayed(run) == made
    losses, epochs = real_pool.curves(run)
    assert (losses, epochs) == uninterrupted(experiment, made)
    assert losses != uninterrupted(experiment, made[:-1])[0]


@pytest.mark.fault(60)
def test_a_killed_supervisor_leaves_no_process_and_its_successor_goes_on_with_the_run(real_pool):
    experiment = digits(RANDOM_MLP, steps=4000)
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_step(run, real_pool.wait_for_checkpoint(run) + 20)
    supervisor, worker = supervisor_pid(real_pool), real_pool.pid(run)
    others = descendants(supervisor)
    assert worker in others
    assert len(others) >= 3  # besides it the forkserver and a parked worker
    os.kill(supervisor, signal.SIGKILL)
    real_pool.wait(lambda: not any(is_alive(pid) for pid in others), 5.0)
    stopped_at = real_pool.store.run(run)
    assert stopped_at.state == "running"
    assert stopped_at.last_step < 4000
    real_pool.client.ensure_supervisor()
    record = real_pool.wait_for(run, "finished")
    assert record.attempt == 1
    assert real_pool.started_at(run)[1] > 0
    assert real_pool.curves(run) == uninterrupted(experiment)


@pytest.mark.fault(57)
def test_a_diverged_run_fails_with_advice_and_keeps_finite_weights(real_pool):
    wild = wild_net()
    run = real_pool.end(TrainJob(experiment=wild))
    end = real_pool.events(run.id)[-1]
    assert isinstance(end, Failed)
    assert (run.state, end.code, run.reason) == ("failed", "diverged", end.message)
    assert "learning rate 10" in end.message
    assert "learning rate of 1," in end.hint
    last = real_pool.checkpoints(run.id)[-1]
    tensors = load(real_pool.client.artifact_bytes(run.id, last.name))
    weights = [tensors[f"0.model.{layer}.{kind}"] for layer in (0, 2, 4) for kind in ("weight", "bias")]
    assert all(tensor.isfinite().all() for tensor in weights)
    train = wild.data.splits(wild.seed).train
    x = torch.from_numpy(train.x)
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        x = (x.clamp(min=0) if weight is not weights[0] else x) @ weight.T + bias
    assert torch.nn.functional.cross_entropy(x, torch.from_numpy(train.y)).isfinite()
    assert last.step <= end.step


def test_no_artifact_of_a_diverged_run_takes_the_place_of_another(real_pool):
    run = real_pool.end(TrainJob(experiment=wild_net()))
    saved = [event for event in real_pool.events(run.id) if isinstance(event, ArtifactSaved)]
    assert len({one.name for one in saved}) == len(saved)
    for one in saved:  # whoever has asked for the first weights by their digest can have them still
        data = real_pool.client.artifact_bytes(run.id, one.name)
        assert hashlib.sha256(data).hexdigest() == one.sha256


def test_pause_step_change_resume_and_stop_are_in_the_store_and_the_last_step_is_kept(real_pool):
    experiment = spiral(steps=ENDLESS)
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_step(run, 10)
    assert real_pool.state(run) == "running"
    real_pool.client.command(run, Pause())
    paused_at = real_pool.wait_for(run, "paused").last_step
    real_pool.client.command(run, Step(3))
    real_pool.wait(lambda: Paused(paused_at + 3) in real_pool.events(run))
    real_pool.client.command(run, SetHyper(0, "lr", 0.5))
    real_pool.wait(lambda: real_pool.changes(run) == {paused_at + 3: 0.5})
    time.sleep(0.2)
    assert (real_pool.state(run), real_pool.store.run(run).last_step) == ("paused", paused_at + 3)
    real_pool.client.command(run, Resume())
    real_pool.wait_for_step(run, paused_at + 50)
    assert real_pool.state(run) == "running"
    real_pool.client.command(run, Stop())
    record = real_pool.wait_for(run, "stopped")
    end = real_pool.events(run)[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.step) == ("stopped", record.last_step)
    assert real_pool.checkpoints(run)[-1].step == record.last_step
    change = HyperChanged(paused_at + 3, 0, "lr", 0.01, 0.5)
    assert change in real_pool.events(run)
    whole = experiment.but(budget=Budget(epochs=None, steps=record.last_step))
    assert real_pool.curves(run) == uninterrupted(whole, [(paused_at + 3, SetHyper(0, "lr", 0.5))])


def test_activations_are_those_of_the_checkpoint_and_are_computed_once(real_pool, trained):
    experiment, weights = trained
    shown = real_pool.end(GalleryJob(data=experiment.data, n=20))
    gallery = load_result(ExampleGallery, real_pool.client.artifact_bytes(shown.id, "result.npz"))
    example = ExampleRef(index=int(gallery.indices[13]))
    asked = ActivationsJob(experiment=experiment, weights=weights, example=example)
    run = real_pool.end(asked)
    maps = load_result(ActivationMaps, real_pool.client.artifact_bytes(run.id, "result.npz"))
    x = torch.from_numpy(gallery.values[13:14])  # (1, 1, 8, 8)
    outputs = layer_by_layer(real_pool, weights, x)
    assert [one.shape for one in maps.maps] == [(8, 8, 8), (8, 8, 8), (8, 4, 4), (128,), (10,)]
    for ours, theirs in zip(maps.maps, outputs, strict=True):
        np.testing.assert_allclose(ours, theirs[0].numpy(), rtol=1e-6, atol=1e-6)
    assert (maps.step, maps.label) == (400, int(gallery.labels[13]))
    assert real_pool.client.submit(asked) == run.id
    assert real_pool.client.submit(asked.but(example=ExampleRef(index=int(gallery.indices[14])))) != run.id


def layer_by_layer(pool: RealPool, weights: ArtifactRef, x: torch.Tensor) -> list[torch.Tensor]:
    """The CNN of `trained`, written out: what each layer gives for `x`."""
    state = load(pool.client.artifact_bytes(weights.run, weights.name))
    conv = torch.nn.functional.conv2d(x, state["0.model.0.weight"], state["0.model.0.bias"], padding=1)
    relu = conv.clamp(min=0)
    pooled = relu.reshape(1, 8, 4, 2, 4, 2).amax((3, 5))
    flat = pooled.reshape(1, 128)
    return [conv, relu, pooled, flat, flat @ state["0.model.4.weight"].T + state["0.model.4.bias"]]


@pytest.mark.parametrize(
    "explainer", [ShapSuperpixels(), LimeImage(), GradCam(), IntegratedGradients()], ids=lambda choice: choice.kind
)
def test_explanations_are_of_the_checkpoint_and_are_computed_once(real_pool, trained, explainer):
    experiment, weights = trained
    asked = ExplainJob(experiment=experiment, weights=weights, explainer=explainer, example=ExampleRef(index=5))
    run = real_pool.end(asked)
    assert run.state == "finished", run.reason
    found = load_result(Attribution, real_pool.client.artifact_bytes(run.id, "result.npz"))
    splits = Digits().splits(experiment.seed)
    logits = layer_by_layer(real_pool, weights, torch.from_numpy(splits.model_input(splits.validation.x[5:6])))[-1][0]
    assert (found.method, found.step, found.target) == (explainer.kind, 400, int(logits.argmax()))
    assert found.output == pytest.approx(float(logits.max()), abs=1e-5)
    assert found.values.shape == (8, 8)
    assert np.isfinite(found.values).all()
    assert found.values.any()
    if explainer.kind == "shap_superpixels":
        assert float(found.players.sum()) + found.base == pytest.approx(found.output, abs=1e-4)
    assert real_pool.client.submit(asked) == run.id


def test_a_long_explanation_is_stopped_within_two_seconds_and_the_next_is_answered(real_pool):
    article = digits(preset("cnn-32-64").model(10), steps=1).but(data=RenderedDigits(n_examples=500))
    longest = ShapSuperpixels(n_evaluations=10_000, n_segments=100)
    run = real_pool.client.submit(ExplainJob(experiment=article, explainer=longest))
    real_pool.wait(lambda: any(getattr(event, "done", 0) > 100 for event in real_pool.events(run)))
    asked = time.monotonic()
    real_pool.client.command(run, Stop())
    real_pool.wait_for(run, "stopped")
    assert time.monotonic() - asked < 2.0
    assert real_pool.store.artifacts(run) == ()
    assert real_pool.end(GalleryJob(data=Spiral(n_points=200))).state == "finished"
    again = real_pool.client.submit(ExplainJob(experiment=article, explainer=longest))
    assert again != run  # what was stopped is no answer
    real_pool.client.command(again, Stop())


def test_a_cross_validation_is_stopped_at_once_and_a_finished_one_answers_from_the_store(real_pool):
    short = spiral(data=Iris(), model=stack(linear(6), "Tanh", linear(3)), budget=Budget(epochs=2), batch_size=40)
    endless = real_pool.client.submit(CrossValidationJob.of(short.but(budget=Budget(epochs=100_000)), 20))
    real_pool.wait(lambda: any(getattr(event, "done", 0) for event in real_pool.events(endless)))
    report = [event for event in real_pool.events(endless) if isinstance(event, Progressed)][-1]
    assert 20 * 300_000 <= report.total <= 20 * 400_000  # three or four steps an epoch
    assert 0 < report.done < report.total
    assert report.left_s > 0
    with pytest.raises(SpecError, match="only be stopped"):
        real_pool.client.command(endless, Pause())
    asked = time.monotonic()
    real_pool.client.command(endless, Stop())
    real_pool.wait_for(endless, "stopped")
    assert time.monotonic() - asked < 2.0
    run = real_pool.end(CrossValidationJob.of(short, 3))
    found = load_result(CrossValidation, real_pool.client.artifact_bytes(run.id, "result.npz"))
    here = cross_validation(short, 3)
    assert np.array_equal(found.predicted, here.predicted)
    assert np.array_equal(found.last_loss, here.last_loss)
    assert real_pool.client.submit(CrossValidationJob.of(short.but(repeats=4), 3)) == run.id


TOO_WIDE = stack("Flatten", linear(16_384), linear(16_384), linear(10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": stack(("Conv2d", {"kernel_size": 3}), "ReLU", linear(10))}, "needs a flat vector"),
        ({"model": TOO_WIDE}, "parameters"),
        ({"model": stack("Flatten", linear(16_384), "ReLU", linear(1024), linear(10)), "repeats": 16}, "MB of memory"),
    ],
    ids=["shapes", "parameters", "memory"],
)
def test_an_experiment_that_cannot_run_is_refused_before_there_is_a_run(real_pool, changes, message):
    before = [record.id for record in real_pool.store.runs()]
    with pytest.raises(SpecError, match=message) as raised:
        real_pool.client.submit(TrainJob(experiment=digits(CNN, steps=10).but(**changes)))
    assert raised.value.hint
    assert [record.id for record in real_pool.store.runs()] == before


def test_a_change_that_cannot_be_is_refused_and_the_run_goes_on(real_pool):
    run = real_pool.client.submit(TrainJob(experiment=spiral(steps=ENDLESS)))
    real_pool.wait_for_step(run, 1)
    for change, message in (
        (SetHyper(0, "lr", -1.0), "lr"),
        (SetHyper(0, "lr", float("nan")), "lr"),
        (SetHyper(7, "lr", 0.1), "no lane 7"),
        (SetHyper(0, "warmth", 0.1), "no number 'warmth'"),
    ):
        with pytest.raises(SpecError, match=message):
            real_pool.client.command(run, change)
    real_pool.wait_for_step(run, real_pool.store.run(run).last_step + 50)
    assert real_pool.changes(run) == {}
    real_pool.client.command(run, Stop())
    real_pool.wait_for(run, "stopped")
