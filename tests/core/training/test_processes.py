"""Lanes spread over forked processes: the same bits as in one, weights that are here, children that end when they should."""

import os
import signal
import time

import pytest
import torch

from core.errors import TrainingError
from core.training.executors import batched
from core.training.executors.batched import Batched
from core.training.executors.executor import Executor
from core.training.executors.fast import Fast
from core.training.executors.processes import Processes
from core.training.executors.reference import Reference
from tests.core.samples import linear, stack
from tests.core.training.races_at_hand import CPU, batches, race, series_of, weights

NOISY = stack(linear(6), "BatchNorm1d", "Tanh", ("Dropout", {"p": 0.2}), linear(2))


@pytest.fixture
def spread():
    """Makes Processes, which are closed at the end whatever happens."""
    made: list[Processes] = []

    def spread_over(experiment, kind=Batched, n=2, series=None):
        found = series or series_of(experiment)
        made.append(Processes(experiment, found, CPU, n_processes=n, inner=lambda share: (kind(experiment, share, CPU),)))
        return made[-1]

    yield spread_over
    for executor in made:
        executor.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("kind", [Reference, Fast, Batched], ids=lambda kind: kind.name)
@pytest.mark.parametrize("n", [2, 3])
def test_curves_and_weights_are_those_of_one_process(kind, n, spread, monkeypatch):
    monkeypatch.setattr(batched, "SMALL_NET", 0)  # else the bits of a batch norm depend a little on who is beside it
    experiment = race(NOISY, repeats=2)
    alone: Executor = kind(experiment, series_of(experiment), CPU)
    many, source = spread(experiment, kind, n), batches(experiment)
    rows, expected = [], []
    for first, steps in ((1, 1), (2, 9), (11, 15)):
        rows += many.steps(source, first, steps, is_measured=True)
        expected += alone.steps(source, first, steps, is_measured=True)
        assert all(torch.equal(a, b) for a, b in zip(weights(many), weights(alone), strict=True))
    assert rows == expected
    assert len(many.pids) == n - 1
    for one, other in zip(many.measures(), alone.measures(), strict=True):
        assert one.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-6)
        assert one.accuracy == other.accuracy
    for one, other in zip(many.series, alone.series, strict=True):
        ours, theirs = many.optimizer_state(one), alone.optimizer_state(other)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_state_can_be_given_before_and_after_the_fork(spread):
    experiment = race()
    source = batches(experiment)
    told = Batched(experiment, series_of(experiment), CPU)
    told.steps(source, 1, 10)
    many = spread(experiment)
    for _ in range(2):  # the first time into executors that are here, then into those of the child
        for one, before in zip(many.series, told.series, strict=True):
            one.model.load_state_dict(before.model.state_dict())
            many.load_optimizer_state(one, told.optimizer_state(before))
        same = Batched(experiment, series_of(experiment), CPU)
        for one, before in zip(same.series, told.series, strict=True):
            one.model.load_state_dict(before.model.state_dict())
            same.load_optimizer_state(one, told.optimizer_state(before))
        assert many.steps(source, 11, 5) == same.steps(source, 11, 5)


def test_weights_set_from_outside_are_taken_over(spread):
    experiment = race()
    many, source = spread(experiment), batches(experiment)
    many.steps(source, 1, 3)
    many.series[1].model.load_state_dict(many.series[0].model.state_dict())
    losses = many.steps(source, 4, 1)[0]
    assert losses[1] == pytest.approx(losses[0], abs=1e-7)


def test_changes_by_hand_and_deaths_cross_the_pipe(spread):
    experiment = race()
    many, alone, source = spread(experiment), Batched(experiment, series_of(experiment), CPU), batches(experiment)
    rows = []
    for executor in (many, alone):
        told = executor.steps(source, 1, 5)
        adam, adamw, nesterov = (executor.series[index] for index in (3, 5, 1))
        adam.lane = adam.lane.with_number("lr", 0.05)
        executor.retune(adam)
        adamw.plateau_factor = 0.1
        nesterov.is_removed = True
        with torch.no_grad():
            next(executor.series[2].model.parameters()).fill_(float("inf"))
        rows.append(told + executor.steps(source, 6, 10))
        assert executor.series[2].died_at == 6
    torch.testing.assert_close(torch.tensor(rows[0]), torch.tensor(rows[1]), rtol=0, atol=1e-6, equal_nan=True)


def test_children_end_when_it_is_closed_and_weights_stay(spread):
    experiment = race()
    many = spread(experiment)
    many.steps(batches(experiment), 1, 2)
    (child,) = many.pids
    assert is_running(child)
    before = weights(many)
    many.close()
    assert not is_running(child)
    assert all(torch.equal(a, b) for a, b in zip(weights(many), before, strict=True))


def test_a_child_that_is_killed_is_told_in_words(spread):
    experiment = race()
    many, source = spread(experiment), batches(experiment)
    many.steps(source, 1, 2)
    os.kill(many.pids[0], signal.SIGKILL)
    with pytest.raises(TrainingError, match=r"3 of the networks was killed by SIGKILL\. .*LAYERWISE_LANE_PROCESSES=1"):
        many.steps(source, 3, 2)
    many.close()


def test_what_goes_wrong_in_a_child_is_told_in_its_words(spread):
    class Failing:
        def __init__(self, inner):
            self.inner = inner
            self.parent = os.getpid()

        def batch(self, repeat, number):
            if os.getpid() != self.parent:
                raise RuntimeError("not enough memory: you tried to allocate 4096 bytes")
            return self.inner.batch(repeat, number)

    experiment = race()
    with pytest.raises(TrainingError, match="not enough memory"):
        spread(experiment).steps(Failing(batches(experiment)), 1, 1)


def test_children_die_with_their_parent(spread):
    experiment = race()
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        many = Processes(experiment, series_of(experiment), CPU, n_processes=2, inner=lambda s: (Batched(experiment, s, CPU),))
        many.steps(batches(experiment), 1, 1)
        os.write(writer, str(many.pids[0]).encode())
        signal.pause()
    child = int(os.read(reader, 20))
    assert is_running(child)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 5
    while is_running(child) and not is_zombie(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child) or is_zombie(child)


def is_zombie(pid: int) -> bool:
    """Whether it is dead, but nobody has asked for its status: in a container without an init nobody does."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "Z"


def test_a_gpu_is_never_forked():
    experiment = race()
    with pytest.raises(TrainingError, match="on the CPU alone"):
        Processes(experiment, series_of(experiment), torch.device("cuda"), n_processes=2, inner=lambda _: ())
