"""An experiment as flat facts."""

import json

import pytest

from core.data.menu import AnyDataset
from core.experiment.examples import EXAMPLES
from core.experiment.experiment import Lane
from core.experiment.facts import costs, facts, flat
from core.models.model import build
from core.optim.optimizers import AnyOptimizer
from core.optim.regularizers import AnyRegularizer
from core.optim.schedules import AnySchedule
from core.spec import choices
from tests.core.samples import spiral

READY = [one for menu in (AnyOptimizer, AnySchedule, AnyRegularizer) for one in choices(menu) if one.is_ready_made]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_has_facts_and_costs(example):
    experiment = example.make()
    found = facts(experiment)
    assert found["data"] == experiment.data.label
    assert found["lr"] == experiment.lanes[0].optimizer.lr
    assert found["layers"] == len(experiment.model.layers)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(costs(experiment)) == {"n_parameters", "multiply_adds"}


@pytest.mark.parametrize("choice", READY, ids=lambda choice: choice.__name__)
def test_whatever_a_lane_is_made_of_it_is_told(choice):
    lane = spiral().lanes[0]
    made = choice()
    if choice in choices(AnyOptimizer):
        found = facts(spiral(lanes=(Lane(optimizer=made),)))
        assert found["optimizer"] == choice.label
    elif choice in choices(AnySchedule):
        assert facts(spiral(lanes=(lane.but(schedule=made),)))["schedule"] == choice.label
    else:
        found = facts(spiral(lanes=(lane.but(regularizers=(made,)),)))
        assert found["regularizers"] == choice.label
        assert {f"{made.kind}.{name}" for name, _value in flat(made) if isinstance(_value, float)} <= set(found) | set()


def test_parameters_are_as_many_as_torch_has():
    experiment = spiral()
    model = build(experiment.model, experiment.data.profile().input_shape, 0)
    assert costs(experiment)["n_parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_facts_are_of_the_lane_that_is_asked_for_and_say_how_many_there_are():
    lanes = (*spiral("sgd", 0.5).lanes, *spiral("adam", 0.02).lanes)
    experiment = spiral(lanes=lanes, repeats=3)
    assert (facts(experiment)["optimizer"], facts(experiment, lanes[1])["lr"]) == ("SGD", 0.02)
    assert (facts(experiment)["lanes"], facts(experiment)["seeds"]) == (2.0, 3.0)
    assert "lanes" not in facts(spiral())


def test_data_sets_say_their_knobs():
    for choice in choices(AnyDataset):
        if choice.is_ready_made:
            found = facts(spiral(data=choice()))
            assert all(isinstance(value, str | float) for value in found.values())
            assert found["data"] == choice.label
