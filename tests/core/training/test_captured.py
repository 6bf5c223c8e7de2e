"""The logic of recorded steps, on the CPU: in place of a CUDA graph the recorded Python itself is run again.

What it cannot show is that CUDA records these very operations; benchmarks.gpu does, where a GPU is.
"""

import copy

import pytest
import torch

from core.data.augmentation import HorizontalFlip
from core.data.rendered import Digits
from core.errors import TrainingError
from core.experiment.experiment import Lane
from core.optim.optimizers import SGD, Adagrad, Adam, AdamW, AnyOptimizer, GradientDescent, RMSprop
from core.optim.regularizers import ClipNorm, MaxNorm, WeightAverage, WeightDecay
from core.optim.schedules import Cosine
from core.spec import choices
from core.training.executors.captured import Captured
from core.training.executors.captured_graph import CudaGraphs, fastest
from core.training.executors.captured_step import AHEAD
from core.training.executors.fast import Fast
from tests.core.samples import linear, spiral, stack
from tests.core.training.executor_samples import curves, ground

CLOSE = 1e-6
CUDA = torch.device("cuda")


class Repeated:
    """Runs the work a few times, as a warm-up does, and gives it back."""

    name = "repeated"

    def __init__(self):
        self.replays = 0

    def record(self, work):
        for _ in range(3):
            work()

        def again():
            self.replays += 1
            work()

        return again


class Broken:
    name = "broken"

    def __init__(self, error=None):
        self.error = error or RuntimeError("operation not permitted when stream is capturing\nmore")

    def record(self, work):
        work()
        raise self.error


def captured(here, *recorders):
    return here.made(Captured, recorders=recorders or (Repeated(),))


KINDS = {
    "adam": spiral(),
    "schedule": spiral(lanes=(Lane(optimizer=AdamW(lr=0.01), schedule=Cosine()),)),
    "sgd": spiral("sgd"),
    "momentum": spiral(lanes=(Lane(optimizer=SGD(momentum=0.9, nesterov=True)),)),
    "adagrad": spiral(lanes=(Lane(optimizer=Adagrad()),)),
    "rmsprop": spiral(lanes=(Lane(optimizer=RMSprop()),)),
    "whole split": spiral(lanes=(Lane(optimizer=GradientDescent()),)),
    "regularizers": spiral(lanes=(Lane(optimizer=Adam(lr=0.01), regularizers=(WeightDecay(), ClipNorm(), MaxNorm())),)),
    "regularizers without kernel": spiral(lanes=(Lane(optimizer=RMSprop(), regularizers=(ClipNorm(limit=0.1),)),)),
    "dropout and norm": spiral(model=stack(linear(16), "BatchNorm1d", "ReLU", "Dropout", linear(2))),
    "augmentation": spiral(data=Digits(), model=stack("Flatten", linear(10)), augmentation=(HorizontalFlip(),), batch_size=64),
    "lanes and repeats": spiral(repeats=2, lanes=(Lane(optimizer=Adam()), Lane(optimizer=SGD()))),
    "last batch is short": spiral(batch_size=32),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at_once", [1, 40])
def test_the_curve_is_that_of_fast_however_many_steps_are_asked_for_at_once(kind, at_once):
    ours, theirs = ground(KINDS[kind]), ground(KINDS[kind])
    recorder = Repeated()
    executor = captured(ours, recorder)
    rows = [row for first in range(1, 41, at_once) for row in executor.steps(ours.source, first, min(at_once, 41 - first))]
    expected = theirs.made(Fast).steps(theirs.source, 1, 40)
    torch.testing.assert_close(curves(rows), curves(expected), rtol=0, atol=CLOSE)
    assert executor.reasons() == ("",) * len(ours.series)
    assert recorder.replays > 0
    if "norm" in kind:
        return  # Adam makes steps of rounding errors out of the bias before it, whose true gradient is zero
    for a, b in zip(ours.series, theirs.series, strict=True):
        torch.testing.assert_close(a.model.state_dict(), b.model.state_dict(), rtol=0, atol=1e-5)


def test_python_wakes_once_for_many_steps():
    here = ground(spiral())
    recorder = Repeated()
    executor = captured(here, recorder)
    executor.steps(here.source, 1, 1)
    executor.steps(here.source, 2, 3 * AHEAD)
    crossed_epochs = 3 * AHEAD // here.source.steps_per_epoch
    assert recorder.replays <= 3 + 2 * AHEAD * crossed_epochs
    alone = ground(spiral(model=stack(linear(8), "Dropout", linear(2))))
    recorder = Repeated()
    captured(alone, recorder).steps(alone.source, 1, 20)
    assert recorder.replays == 19  # each of the others needs masks of its own


def test_a_way_that_cannot_record_leaves_no_trace_and_fast_goes_on():
    here, other = ground(spiral()), ground(spiral())
    executor = captured(here, Broken())
    rows = executor.steps(here.source, 1, 30)
    assert torch.equal(curves(rows), curves(other.made(Fast).steps(other.source, 1, 30)))
    assert executor.reasons() == ("the step cannot be recorded: operation not permitted when stream is capturing",)


def test_the_first_way_that_works_is_taken_and_of_several_the_fastest():
    work, slow = [], []

    class Slow(Repeated):
        name = "slow"

        def record(self, work):
            return lambda: (slow.append(1), torch.ones(400, 400) @ torch.ones(400, 400), work())

    def count():
        work.append(1)

    synchronize = lambda: None  # noqa: E731
    assert fastest([Broken(), Repeated()], count, synchronize)[1] == "repeated"
    assert fastest([Slow(), Repeated()], count, synchronize)[1] == "repeated"
    assert slow
    with pytest.raises(RuntimeError, match="capturing"):
        fastest([Broken()], count, synchronize)


class Poisoned:
    """A source whose batch at one step is not finite."""

    def __init__(self, source, at):
        self.source, self.at = source, at

    def batch(self, repeat, number):
        x, y = self.source.batch(repeat, number)
        return (x * float("nan") if number == self.at and repeat == 0 else x), y


@pytest.mark.parametrize("optimizer", [Adam(), RMSprop(), SGD(momentum=0.9)], ids=lambda one: one.kind)
@pytest.mark.parametrize("at_once", [1, 10])
def test_from_a_loss_that_is_not_finite_on_weights_and_state_stay(optimizer, at_once):
    experiment = spiral(repeats=2, lanes=(Lane(optimizer=optimizer),), model=stack(linear(8), "BatchNorm1d", "Tanh", linear(2)))
    here = ground(experiment)
    source = Poisoned(here.source, 6)
    executor = captured(here)
    executor.steps(source, 1, 5)
    model = here.series[0].model
    before = copy.deepcopy((model.state_dict(), executor.optimizer_state(here.series[0])["state"]))
    rows = curves([row for first in range(6, 16, at_once) for row in executor.steps(source, first, at_once)])
    assert [one.died_at for one in here.series] == [6, -1]
    assert rows[:, 0].isnan().all()
    assert rows[:, 1].isfinite().all()
    after = (model.state_dict(), executor.optimizer_state(here.series[0])["state"])
    torch.testing.assert_close(after, before, rtol=0, atol=0)


def test_a_series_that_dies_within_a_long_recording_is_dead_from_that_step_on():
    here = ground(spiral())
    executor = captured(here)
    executor.steps(here.source, 1, 2)
    with torch.no_grad():
        here.series[0].model[0].weight.fill_(float("inf"))
    rows = curves(executor.steps(here.source, 3, AHEAD + 4))
    assert here.series[0].died_at == 3
    assert rows.isnan().all()
    assert curves(executor.steps(here.source, 40, 2)).isnan().all()


def test_a_changed_rate_needs_no_new_recording_and_other_numbers_do():
    here, other = ground(spiral()), ground(spiral())
    executor, expected = captured(here), other.made(Fast)
    rows = []
    for first, name, value in ((1, "lr", 0.02), (11, "beta1", 0.5), (21, "weight_decay", 0.1)):
        rows.append([curves(one.steps(on.source, first, 10)) for one, on in ((executor, here), (expected, other))])
        recorded = dict(executor.runner(here.series[0])._recorded)
        for one, on in ((executor, here), (expected, other)):
            on.series[0].lane = on.series[0].lane.with_number(name, value)
            one.retune(on.series[0])
        assert (executor.runner(here.series[0])._recorded == recorded) == (name == "lr")
    rows.append([curves(one.steps(on.source, 31, 10)) for one, on in ((executor, here), (expected, other))])
    for ours, theirs in rows:
        torch.testing.assert_close(ours, theirs, rtol=0, atol=CLOSE)


@pytest.mark.parametrize(("first", "second"), [(Captured, Fast), (Fast, Captured)])
@pytest.mark.parametrize("kind", ["adam", "rmsprop", "momentum"])
def test_a_state_moves_to_other_executors_and_back(kind, first, second):
    before, after, whole = (ground(KINDS[kind]) for _ in range(3))
    how = {Captured: {"recorders": (Repeated(),)}, Fast: {}}
    one = before.made(first, **how[first])
    start = curves(one.steps(before.source, 1, 20))
    after.series[0].model.load_state_dict(before.series[0].model.state_dict())
    other = after.made(second, **how[second])
    other.load_optimizer_state(after.series[0], copy.deepcopy(one.optimizer_state(before.series[0])))
    joined = torch.cat([start, curves(other.steps(after.source, 21, 20))])
    torch.testing.assert_close(joined, curves(whole.made(Fast).steps(whole.source, 1, 40)), rtol=0, atol=CLOSE)
    numbers = one.optimizer_state(before.series[0])["param_groups"][0]
    assert isinstance(numbers["lr"], float)


def test_a_measured_step_is_measured():
    here = ground(spiral())
    executor = captured(here)
    executor.steps(here.source, 1, 10)
    executor.steps(here.source, 11, 10, is_measured=True)
    assert executor.measures()[0].gradient_norm > 0


def test_closing_keeps_the_models():
    here = ground(spiral())
    executor = captured(here)
    executor.steps(here.source, 1, 20)
    executor.close()
    assert all(parameter.isfinite().all() for parameter in here.series[0].model.parameters())
    assert not executor.runner(here.series[0])._recorded


def test_too_little_memory_becomes_a_sentence_with_a_batch_size(monkeypatch):
    from core.training import device

    monkeypatch.setattr(device, "device_memory", lambda _: (60 * 2**20, 100 * 2**20))
    experiment = spiral(data=Digits(), model=stack("Flatten", linear(4000), "ReLU", linear(10)), batch_size=1024)
    here = ground(experiment)
    executor = captured(here, Broken(torch.OutOfMemoryError("CUDA out of memory")))
    with pytest.raises(TrainingError) as caught:
        executor.steps(here.source, 1, 20)
    assert "100 MB" in caught.value.message
    assert "1,024" in caught.value.message


@pytest.mark.parametrize("optimizer", choices(AnyOptimizer), ids=lambda cls: cls.__name__)
def test_it_says_which_optimizers_it_can_record(optimizer):
    here = ground(spiral(lanes=(Lane(optimizer=optimizer()),)))
    reason = Captured.supports(here.experiment, here.series[0], CUDA)
    assert bool(reason) == (optimizer.__name__ in {"Lion", "Muon", "Adafactor", "LBFGS", "Adagrad"})


@pytest.mark.parametrize(
    ("experiment", "device"),
    [
        (spiral(), torch.device("cpu")),
        (spiral(accumulation=2), CUDA),
        (spiral(lanes=(Lane(optimizer=Adam(), regularizers=(WeightAverage(),)),)), CUDA),
    ],
)
def test_it_says_why_it_cannot(experiment, device):
    assert Captured.supports(experiment, ground(experiment).series[0], device)


def test_a_cuda_graph_is_the_way_that_is_taken():
    assert Captured.__init__.__defaults__ is not None
    (way,) = Captured.__init__.__defaults__[0]
    assert isinstance(way, CudaGraphs)
