"""What a CUDA device must give: recorded steps equal eager ones, runs go on, scripts repeat them, memory ends in words.

Skipped where there is none; the figures of such a machine are in benchmarks/results.
"""

import copy
import io
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.data.rendered import Digits
from core.events import Artifact, Failed, Finished, Planned, Started, StepsDone
from core.experiment.experiment import Budget, Experiment, Lane
from core.export.script import script_files
from core.jobs.training import TrainJob
from core.models.model import build
from core.optim.optimizers import SGD, Adam, AdamW, RMSprop
from core.optim.schedules import Cosine
from core.settings import Settings
from core.training.executors.captured import Captured
from core.training.executors.fast import Fast
from core.training.loop import train
from tests.core.export.script_curves import read_curve
from tests.core.jobs.real_pool import RealPool, folded
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine")

CUDA = torch.device("cuda")
STEPS = 120
CONV = ("Conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 1})
CNN = stack(CONV, "ReLU", ("MaxPool2d", {"kernel_size": 2}), "Flatten", linear(10))
NORMED = stack("Flatten", linear(64), "BatchNorm1d", "ReLU", ("Dropout", {"p": 0.3}), linear(10))
MLP = stack("Flatten", linear(64), "ReLU", linear(10))
OPTIMIZERS = {"sgd": SGD(lr=0.05), "momentum": SGD(lr=0.05, momentum=0.9), "adam": Adam(lr=0.003), "rmsprop": RMSprop(lr=0.001)}


def digits(model, *optimizers, **changes) -> Experiment:
    return Experiment(
        data=Digits(),
        model=model,
        lanes=tuple(Lane(optimizer=one, name=str(place)) for place, one in enumerate(optimizers or (Adam(lr=0.003),))),
        batch_size=32,
        budget=Budget(epochs=None, steps=STEPS),
        device="cuda",
    ).but(**changes)


def told(experiment, **more):
    """All that a run yields; it must come to its end."""
    items = list(train(experiment, settings=Settings(checkpoint_s=1e-3), **more))
    assert isinstance(items[-1], Finished), items[-1]
    return items


def losses_of(items, series=0) -> list[float]:
    return [loss for item in items if isinstance(item, StepsDone) for loss in item.losses[series]]


def hand_written(experiment: Experiment, series: int = 0) -> list[float]:
    """A textbook loop on the device, with the frozen layers in evaluation mode and without gradients."""
    splits = experiment.data.splits(experiment.seed)
    x = torch.from_numpy(np.array(splits.model_input(splits.train.x))).to(CUDA)
    y = torch.from_numpy(np.array(splits.train.y)).to(CUDA)
    model = build(experiment.model, splits.profile.input_shape, experiment.seed).to(CUDA).train()
    for index in experiment.frozen:
        model[index].eval().requires_grad_(requires_grad=False)
    choice = experiment.lanes[series].optimizer
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    more = {"momentum": choice.momentum} if choice.kind == "sgd" else {}
    optimizer = kinds[choice.kind](free, lr=choice.lr, **more)
    losses, epoch = [], 0
    from core.seeds import stream_seed

    while len(losses) < STEPS:
        epoch += 1
        generator = torch.Generator().manual_seed(stream_seed(experiment.seed, "batches") ^ epoch)
        for part in torch.randperm(len(y), generator=generator).split(experiment.batch_size):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x[part.to(CUDA)]), y[part.to(CUDA)])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses[:STEPS]


def test_a_run_says_on_which_device_it_is_and_is_recorded():
    items = told(digits(MLP))
    assert next(item for item in items if isinstance(item, Started)).device == torch.cuda.get_device_name()
    assert "captured" in repr(next(item for item in items if isinstance(item, Planned))).lower()
    assert not any("fell back" in repr(item) for item in items if not isinstance(item, (Artifact, StepsDone)))


@pytest.mark.parametrize("model", [MLP, CNN], ids=["mlp", "cnn"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_recorded_run_has_the_losses_of_a_loop_written_by_hand(model, name):
    experiment = digits(model, OPTIMIZERS[name])
    ours, theirs = losses_of(told(experiment)), hand_written(experiment)
    assert len(ours) == STEPS
    assert np.abs(np.subtract(ours, theirs)).max() < 2e-3
    assert np.abs(np.subtract(ours, theirs))[:20].max() < 1e-4


@pytest.mark.parametrize("frozen", [(1,), (3,)])
@pytest.mark.parametrize("name", ["adam", "momentum"])
def test_frozen_layers_stay_where_steps_are_recorded(frozen, name):
    experiment = digits(MLP, OPTIMIZERS[name], frozen=frozen)
    items = told(experiment)
    assert np.abs(np.subtract(losses_of(items), hand_written(experiment))).max() < 2e-3
    kept = [item for item in items if isinstance(item, Artifact) and item.kind == "checkpoint"]
    from core.training.checkpoints import load_weights

    first, last = (load_weights(one.data)[0] for one in (kept[0], kept[-1]))
    moved = {key.partition(".")[0] for key in first if not torch.equal(first[key], last[key])}
    assert moved == {"1", "3"} - {str(index) for index in frozen}


@pytest.mark.parametrize(
    "experiment",
    [
        digits(MLP),
        digits(NORMED, Adam(lr=0.003)),
        digits(CNN, SGD(lr=0.05, momentum=0.9)),
        digits(MLP, *(Adam(lr=0.001 * 2**k) for k in range(6))),
        digits(MLP, AdamW(lr=0.003)).but(lanes=(Lane(optimizer=AdamW(lr=0.003), schedule=Cosine()),)),
        spiral(steps=STEPS, device="cuda"),
    ],
    ids=["mlp", "batch norm and dropout", "cnn", "six lanes", "schedule", "spiral"],
)
def test_a_run_goes_on_from_a_checkpoint_as_if_never_interrupted(experiment):
    whole = told(experiment)
    kept = [item for item in whole if isinstance(item, Artifact) and item.kind == "checkpoint" and 0 < item.step < STEPS]
    middle = kept[len(kept) // 2]
    rest = losses_of(told(experiment, resume=middle.data))
    expected = losses_of(whole)[middle.step :]
    worst = max(abs(a - b) for a, b in zip(rest, expected, strict=True))
    print("largest difference after a resume", worst)  # noqa: T201
    assert worst < 1e-5


def test_the_same_run_twice_has_the_same_curve():
    experiment = digits(CNN, Adam(lr=0.003))
    worst = np.abs(np.subtract(losses_of(told(experiment)), losses_of(told(experiment)))).max()
    print("largest difference between two runs", worst)  # noqa: T201
    assert worst < 1e-5


@pytest.mark.parametrize("model", [MLP, CNN], ids=["mlp", "cnn"])
def test_the_exported_script_repeats_a_run_of_the_device(model, tmp_path):
    experiment = digits(model)
    for name, content in script_files(experiment, experiment.data.splits(experiment.seed)).items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "train.py")], cwd="/", capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr[-2000:]
    script = read_curve(tmp_path)
    script = np.asarray(script[1] if isinstance(script, tuple) else script, float).reshape(-1)
    ours = np.asarray(losses_of(told(experiment)), float)
    assert np.abs(script[-len(ours) :] - ours).max() < 2e-3


def test_recorded_steps_equal_eager_ones_with_dropout_drawn_from_the_step():
    from benchmarks.gpu import Ground

    ground = Ground(digits(NORMED, Adam(lr=0.003)), CUDA)
    parts = (ground.experiment, ground.series(), CUDA)
    eager, recorded = Fast(*parts), Captured(ground.experiment, ground.series(), CUDA)
    a, b = (torch.tensor(one.steps(ground.source, 1, 60)) for one in (eager, recorded))
    print("dropout: largest difference", float((a - b).abs().max()), recorded.reasons())  # noqa: T201
    assert (a - b).abs().max() < 1e-3


def test_too_little_memory_ends_a_run_in_words_and_the_next_one_works():
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(0.001)
    try:
        wide = stack("Flatten", linear(4096), "ReLU", linear(4096), "ReLU", linear(10))
        last = list(train(digits(wide)))[-1]
    except torch.OutOfMemoryError as error:  # the driver of a job says it in words
        from core.jobs.work.failures import failed

        last = failed(error, 0)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert isinstance(last, Failed)
    assert last.code == "out-of-memory"
    assert free > 0
    told(digits(MLP))


def test_workers_of_a_real_pool_train_on_the_device_and_a_kill_loses_nothing(tmp_path):
    pool = RealPool(tmp_path / "home", checkpoint_s=0.3, max_running=4)
    try:
        experiment = digits(CNN, Adam(lr=0.003), budget=Budget(epochs=None, steps=6000))
        first, second = (pool.client.submit(TrainJob(experiment=one)) for one in (experiment, digits(MLP)))
        pool.wait_for(second, "finished", "failed", "interrupted")
        assert pool.state(second) == "finished", pool.events(second)[-1]
        pool.wait_for_checkpoint(first)
        pool.kill(first)
        assert pool.wait_for(first, "finished", "failed", "interrupted").state == "finished"
        curves, _ = pool.curves(first)
        whole, _ = folded(train(experiment))
        worst = np.abs(np.subtract(curves[0], whole[0])).max()
        print("largest difference after SIGKILL", worst)  # noqa: T201
        assert worst < 1e-4
    finally:
        pool.close()


def test_an_error_of_the_device_ends_one_run_in_words_and_the_next_worker_works(tmp_path):
    """A device-side assert poisons the whole process: the worker has to go."""
    code = (
        "import torch\nfrom core.jobs.work.failures import failed\n"
        "x = torch.zeros(3, device='cuda')\n"
        "try:\n    x[torch.tensor([7], device='cuda')]; torch.cuda.synchronize()\n"
        "except Exception as error:\n    print(type(error).__name__, '|', str(error)[:60], '|', failed(error, 1))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=dict(os.environ))
    print(done.stdout)  # noqa: T201
    assert "CUDA error" in done.stdout


def test_weights_on_the_device_are_saved_as_on_the_cpu():
    kept = [item for item in told(digits(MLP)) if isinstance(item, Artifact) and item.kind == "checkpoint"]
    from core.training.checkpoints import load_weights

    state, step = load_weights(copy.copy(kept[-1].data))
    assert step == STEPS
    assert all(value.device.type == "cpu" for value in state.values())
    assert io.BytesIO(kept[-1].data).getbuffer().nbytes > 0
