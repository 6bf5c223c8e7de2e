"""Who trains which series: stacked where it can be, by themselves where not, over processes where it is worth it."""

import os

import pytest
import torch

from core.data.rendered import RenderedDigits
from core.experiment.experiment import Lane
from core.models.presets import preset
from core.settings import Settings
from core.training.executors.planner import plan
from tests.core.samples import linear, optimizer_like, stack
from tests.core.training.races_at_hand import CPU, batches, lanes, race, series_of

ONE, TWO = Settings(lane_processes=1), Settings(lane_processes=2)
CNN = preset("cnn-32-64").model(10)
MLP = preset("mlp-128-128").model(10)
DIGITS = {"data": RenderedDigits(n_examples=200), "batch_size": 128}
CASES = {
    "small nets": (race(), TWO, ["batched"] * 6),
    "one net": (race(lanes=lanes(("adam", {}))), TWO, ["batched"]),
    "dense nets": (race(MLP, **DIGITS), ONE, ["batched"] * 6),
    "convolutions": (race(CNN, **DIGITS), ONE, ["fast"] * 6),
    "convolutions, two cores": (race(CNN, **DIGITS), TWO, ["processes"] * 6),
    "dense nets, two cores": (race(MLP, **DIGITS), TWO, ["processes"] * 6),
    "one of another kind": (race(lanes=lanes(("adam", {}), ("lbfgs", {}), ("sgd", {}))), TWO, ["batched", "fast", "batched"]),
    "slopes": (race(stack(linear(4), "PReLU", linear(2))), TWO, ["fast"] * 6),
}


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.parametrize("name", CASES)
def test_every_series_has_the_executor_that_suits_it(name, two_cores):
    experiment, settings, expected = CASES[name]
    series = series_of(experiment)
    made = plan(experiment, series, CPU, settings)
    found = {one.index: executor.name for executor in made.executors for one in executor.series}
    assert [found[one.index] for one in series] == expected
    assert sum(len(executor.series) for executor in made.executors) == len(series)
    assert not made.reason[0].islower()
    assert made.reason.endswith(".")
    assert 20 < len(made.reason) < 250
    for executor in made.executors:
        executor.close()


def test_one_core_needs_one_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    experiment = race(MLP, **DIGITS)
    assert [each.name for each in plan(experiment, series_of(experiment), CPU, TWO).executors] == ["batched"]


def test_a_process_with_several_threads_is_never_forked(two_cores, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    experiment = race(MLP, **DIGITS)
    assert [each.name for each in plan(experiment, series_of(experiment), CPU, TWO).executors] == ["batched"]


def test_the_reason_names_what_keeps_a_lane_from_the_others():
    experiment, _, _ = CASES["one of another kind"]
    reason = plan(experiment, series_of(experiment), CPU, ONE).reason
    assert "1 network by itself with fused updates: L-BFGS has no stacked form" in reason


def test_several_executors_in_one_process_of_a_plan_train_together(two_cores):
    mixed = (*race().lanes[:3], Lane(optimizer=optimizer_like("lbfgs")))
    experiment = race(MLP, **DIGITS, lanes=mixed)
    alone = plan(experiment, series_of(experiment), CPU, ONE)
    spread = plan(experiment, series_of(experiment), CPU, TWO)
    source = batches(experiment)
    (many,) = spread.executors
    rows = many.steps(source, 1, 2)
    many.close()
    expected = [executor.steps(source, 1, 2) for executor in alone.executors]
    assert rows == [stacked + single for stacked, single in zip(*expected, strict=True)]


def test_where_somebody_asks_each_network_is_trained_by_itself():
    for experiment, _, _ in CASES.values():
        made = plan(experiment, series_of(experiment), CPU, Settings(one_by_one=True, lane_processes=2))
        assert [executor.name for executor in made.executors] == ["fast"]
        assert "LAYERWISE_ONE_BY_ONE" in made.reason
