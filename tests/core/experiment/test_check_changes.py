"""Changes that an experiment prescribes are checked before it runs, and its present lanes follow from them."""

import pytest

from core.errors import SpecError
from core.events import AddLane, HyperChanged, LaneAdded, LaneRemoved, OptimizerSwapped, RemoveLane, SetHyper, SwapOptimizer
from core.experiment.apply import after_events, with_change
from core.experiment.changes import AnyChange, HyperChange, LaneAddition, LaneRemoval, OptimizerSwap, change_of, changes_of
from core.experiment.check import findings
from core.experiment.codec import from_link_text, link_text
from core.experiment.experiment import MAX_LANES, Lane
from core.optim.optimizers import SGD, Adam
from core.spec import choices
from tests.core.samples import spiral

ADAM = Lane(optimizer=Adam(lr=0.02))
GOOD = (
    HyperChange(after_step=3, lane=0, name="lr", value=0.05),
    LaneAddition(after_step=5, definition=ADAM),
    OptimizerSwap(after_step=5, lane=1, optimizer=SGD(lr=0.3)),
    LaneAddition(after_step=7, definition=ADAM, fork_of=1),
    LaneRemoval(after_step=9, lane=0),
)


def test_the_examples_hold_every_kind_of_change():
    assert {type(change) for change in GOOD} == set(choices(AnyChange))


def test_good_changes_pass_and_travel_in_a_link():
    experiment = spiral().but(changes=GOOD)
    assert [finding.code for finding in findings(experiment) if finding.severity == "error"] == []
    assert from_link_text(link_text(experiment)) == experiment


@pytest.mark.parametrize(
    "changes",
    [
        (HyperChange(after_step=3, lane=2, name="lr", value=0.05),),
        (HyperChange(after_step=3, lane=0, name="lr", value=-1.0),),
        (HyperChange(after_step=3, lane=0, name="warmth", value=0.1),),
        (LaneAddition(after_step=3, definition=ADAM, fork_of=4),),
        (LaneRemoval(after_step=3, lane=7),),
        (OptimizerSwap(after_step=8, lane=0, optimizer=SGD()), HyperChange(after_step=3, lane=0, name="lr", value=0.1)),
    ],
)
def test_a_change_that_cannot_be_made_is_an_error_that_one_click_mends(changes):
    experiment = spiral().but(changes=(*GOOD[:0], *changes))
    (finding,) = [one for one in findings(experiment) if one.severity == "error"]
    assert finding.code == "impossible-change"
    assert finding.fix is not None
    assert [one for one in findings(finding.fix.spec) if one.severity == "error"] == []


def test_events_and_commands_and_changes_tell_the_same():
    experiment = spiral()
    lane = ADAM.model_dump_json()
    events = [
        HyperChanged(3, 0, "lr", 0.01, 0.05),
        LaneAdded(5, 1, -1, lane, ADAM.label, ("a",)),
        OptimizerSwapped(5, 1, "", SGD(lr=0.3).model_dump_json()),
        LaneAdded(7, 2, 1, lane, ADAM.label, ("b",)),
        LaneRemoved(9, 0),
    ]
    assert changes_of(events) == GOOD
    after = after_events(experiment, events)
    by_commands = experiment
    for change in GOOD:
        by_commands = with_change(by_commands, change.command())
        assert change_of(change.after_step, change.command()) == change
    assert after == by_commands
    assert [one.optimizer.kind for one in after.lanes] == ["adam", "sgd", "adam"]
    assert after.lanes[0].optimizer.lr == 0.05


def test_a_race_has_no_more_lanes_than_can_be_told_apart():
    full = spiral().but(lanes=(ADAM,) * MAX_LANES)
    with pytest.raises(SpecError, match="at most 32"):
        with_change(full, AddLane(ADAM.model_dump_json()))


@pytest.mark.parametrize("command", [SetHyper(1, "lr", 0.1), SwapOptimizer(1, SGD().model_dump_json()), RemoveLane(1)])
def test_a_lane_that_is_not_there_is_named(command):
    with pytest.raises(SpecError, match="no lane 1"):
        with_change(spiral(), command)


def test_lanes_with_equal_labels_have_names_that_tell_them_apart():
    experiment = spiral().but(lanes=(ADAM, ADAM, Lane(optimizer=SGD(), name="Adam, lr 0.02"), Lane(optimizer=SGD())), repeats=2)
    assert experiment.lane_names() == ("Adam, lr 0.02", "Adam, lr 0.02 (2)", "Adam, lr 0.02 (3)", "SGD, lr 0.1")
    assert len(set(experiment.series())) == 8
