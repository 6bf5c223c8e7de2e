"""Frozen layers on every executor: their weights and statistics stay bit for bit, and the others learn as in the reference."""

import copy

import pytest
import torch

from core.data.rendered import Digits
from core.events import Finished, Started, StepsDone
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Lane
from core.models.modules.frozen import PartlyFrozen, with_frozen
from core.optim.optimizers import SGD, Adam, AdamW
from core.optim.regularizers import MaxNorm, WeightAverage
from core.settings import Settings
from core.training.executors import batched
from core.training.executors.batched import Batched
from core.training.executors.captured import Captured
from core.training.executors.executor import Series
from core.training.executors.fast import Fast
from core.training.executors.planner import plan
from core.training.executors.processes import Processes
from core.training.executors.reference import Reference
from core.training.loop import train
from tests.core.samples import linear, spiral, stack
from tests.core.training.executor_samples import CPU, curves, ground

LANES = (Lane(optimizer=AdamW(lr=0.01, weight_decay=0.1)), Lane(optimizer=SGD(lr=0.05, momentum=0.9)))
NOISY = stack(("Conv2d", {"out_channels": 3}), "BatchNorm2d", "ReLU", "Flatten", ("Dropout", {"p": 0.3}), linear(10))
CASES = {
    "points": spiral(model=stack(linear(6), "Tanh", linear(6), "BatchNorm1d", linear(2)), lanes=LANES, frozen=(0, 3)),
    "pictures": spiral(data=Digits(), model=NOISY, batch_size=64, lanes=LANES, frozen=(0, 1)),
    "dropout": spiral(data=Digits(), model=NOISY, batch_size=64, lanes=LANES, frozen=(1, 4)),
}
STEPS = 8
DROPOUT = ("Dropout", {"p": 0.3})


class Repeated:
    """Runs the work a few times, as a warm-up does, and gives it back."""

    name = "repeated"

    def record(self, work):
        work()
        return work


MAKES = {
    "reference": lambda here: here.made(Reference),
    "fast": lambda here: here.made(Fast),
    "captured": lambda here: here.made(Captured, recorders=(Repeated(),)),
    "processes": lambda here: here.made(Processes, n_processes=2, inner=lambda share: (Fast(here.experiment, share, CPU),)),
}


def partly_frozen(experiment):
    """The ground of an experiment whose series have their layers frozen, and averages where their lanes ask for them."""
    here = ground(experiment)
    for one in here.series:
        one.model = with_frozen(one.model, experiment.frozen)
        if one.average is not None:
            one.average = copy.deepcopy(one.model).requires_grad_(requires_grad=False)
    return here


def frozen_numbers(series: Series, frozen) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in series.model.state_dict().items() if int(k.partition(".")[0]) in frozen}


@pytest.mark.parametrize("name", MAKES)
@pytest.mark.parametrize("case", CASES)
def test_frozen_numbers_stay_and_the_others_are_those_of_the_reference(case, name):
    experiment = CASES[case]
    here, there = partly_frozen(experiment), partly_frozen(experiment)
    before = [frozen_numbers(one, experiment.frozen) for one in here.series]
    executor, oracle = MAKES[name](here), there.made(Reference)
    try:
        made = executor.steps(here.source, 1, STEPS, is_measured=True)
        wanted = oracle.steps(there.source, 1, STEPS, is_measured=True)
        assert torch.allclose(curves(made), curves(wanted), atol=1e-6)
        for one, other, kept in zip(here.series, there.series, before, strict=True):
            after = one.model.state_dict()
            assert all(torch.equal(after[key], value) for key, value in kept.items())
            assert all(torch.allclose(after[k], v, atol=1e-6) for k, v in other.model.state_dict().items())
            n = len([p for p in one.model.parameters() if p.requires_grad])
            state = executor.optimizer_state(one)
            assert len(state["param_groups"][0]["params"]) == len(state["state"]) == n
        for ours, theirs in zip(executor.measures(), oracle.measures(), strict=True):
            assert (ours.weight_norm, ours.update_norm) == pytest.approx((theirs.weight_norm, theirs.update_norm), rel=1e-4)
    finally:
        executor.close()


HEADS = {
    "small": spiral(
        model=stack(linear(6), "Tanh", "LayerNorm", linear(5), DROPOUT, "Tanh", "BatchNorm1d", linear(2)), frozen=(0, 2)
    ),
    "behind pictures": spiral(
        data=Digits(),
        model=stack(
            ("Conv2d", {"out_channels": 3}), "BatchNorm2d", "MaxPool2d", "Flatten", DROPOUT, linear(8), "ReLU", linear(10)
        ),
        batch_size=64,
        frozen=(0, 1),
    ),
    "dropout frozen too": spiral(model=stack(linear(6), DROPOUT, linear(5), DROPOUT, linear(2)), frozen=(0, 1, 3)),
}


@pytest.mark.parametrize("small", [10_000, 0], ids=["one row", "a block each"])
@pytest.mark.parametrize("case", HEADS)
def test_heads_behind_frozen_layers_are_trained_together_as_in_the_reference(case, small, monkeypatch):
    monkeypatch.setattr(batched, "SMALL_NET", small)
    averaged = Lane(optimizer=Adam(lr=0.01), regularizers=(WeightAverage(), MaxNorm(limit=0.5)))
    experiment = HEADS[case].but(lanes=(*LANES, averaged), repeats=2)
    here, there = partly_frozen(experiment), partly_frozen(experiment)
    before = [frozen_numbers(one, experiment.frozen) for one in here.series]
    executor, oracle = here.made(Batched), there.made(Reference)
    made = executor.steps(here.source, 1, STEPS, is_measured=True)
    assert torch.allclose(curves(made), curves(oracle.steps(there.source, 1, STEPS, is_measured=True)), atol=1e-6)
    for one, other, kept in zip(here.series, there.series, before, strict=True):
        after, ours, theirs = one.model.state_dict(), executor.optimizer_state(one), oracle.optimizer_state(other)
        assert all(torch.equal(after[key], value) for key, value in kept.items())
        assert all(torch.allclose(after[k], v, atol=1e-6) for k, v in other.model.state_dict().items())
        assert ours["param_groups"][0]["params"] == theirs["param_groups"][0]["params"]
        assert all(torch.allclose(v, ours["state"][k][n], atol=1e-6) for k, s in theirs["state"].items() for n, v in s.items())
    norms = [[one.weight_norm, one.update_norm, one.gradient_norm] for one in executor.measures()]
    assert torch.allclose(
        curves(norms), curves([[m.weight_norm, m.update_norm, m.gradient_norm] for m in oracle.measures()]), rtol=1e-4
    )


def test_the_plan_stacks_heads_behind_frozen_layers_and_says_what_else_cannot_be():
    plans = {
        case: plan(experiment, partly_frozen(experiment).series, CPU, Settings(lane_processes=1))
        for case, experiment in {**CASES, **HEADS}.items()
    }
    names = {case: [executor.name for executor in made.executors] for case, made in plans.items()}
    assert all(names[case] == ["batched"] for case in HEADS)
    assert names["pictures"] == ["batched"]
    assert names["points"] == names["dropout"] == ["fast"]
    assert "a frozen layer behind one that is trained" in plans["points"].reason


def test_frozen_layers_stay_in_use_when_the_stack_trains_also_in_copies():
    model = with_frozen(torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Dropout(), torch.nn.Linear(2, 2)), (0, 1))
    copied = copy.deepcopy(model.train())
    assert isinstance(copied, PartlyFrozen)
    assert [layer.training for layer in copied] == [False, False, True]
    assert [p.requires_grad for p in copied.parameters()] == [False, False, True, True]
    assert list(copied.eval().state_dict()) == list(model.state_dict())
    plain = torch.nn.Sequential(torch.nn.Linear(2, 2))
    assert with_frozen(plain, ()) is plain


def test_a_run_counts_what_it_trains_and_averages_leave_frozen_weights_alone():
    lane = Lane(optimizer=Adam(lr=0.01), regularizers=(WeightAverage(),))
    experiment = spiral(steps=30, frozen=(0,), lanes=(lane,))
    items = list(train(experiment))
    started = next(item for item in items if isinstance(item, Started))
    inference = trained_inference(experiment)
    assert started.n_parameters == inference.n_parameters == 2 * 8 + 2
    assert inference.n_frozen == 2 * 8 + 8
    assert isinstance(items[-1], Finished)
    assert sum(len(item.losses[0]) for item in items if isinstance(item, StepsDone)) == 30
