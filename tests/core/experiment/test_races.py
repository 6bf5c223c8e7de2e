"""Ready fields of lanes, and learning rates that lanes share."""

import pytest

from core.errors import SpecError
from core.experiment.check import findings
from core.experiment.examples import default_experiment
from core.experiment.experiment import MAX_LANES, Lane
from core.experiment.races import RACES, rate_ladder, shared_rate, six_optimizers, with_one_rate
from core.optim.optimizers import SGD, Adam


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["sgd", "adam"])
def test_every_field_can_race_and_its_lanes_are_told_apart(race, optimizer):
    lanes = race.lanes(optimizer)
    assert len({lane.label for lane in lanes}) == len(lanes) > 1
    raced = default_experiment("race").but(lanes=lanes)
    assert [finding for finding in findings(raced) if finding.severity == "error"] == []
    assert race.about.endswith(".")


def test_a_ladder_changes_the_rate_and_nothing_else():
    lanes = rate_ladder(Adam(beta1=0.5), [0.1, 0.01])
    assert [lane.optimizer for lane in lanes] == [Adam(lr=0.1, beta1=0.5), Adam(lr=0.01, beta1=0.5)]
    assert len(rate_ladder(SGD(), [0.1] * 99)) == MAX_LANES


@pytest.mark.parametrize("rate", [0.0, -1.0, 11.0, float("nan")])
def test_a_rate_out_of_bounds_is_refused(rate):
    with pytest.raises(SpecError):
        rate_ladder(SGD(), [rate])
    with pytest.raises(SpecError):
        shared_rate(six_optimizers(), rate)


def test_lanes_that_share_a_rate_go_on_sharing_it():
    lanes = shared_rate((Lane(optimizer=SGD()), Lane(optimizer=Adam())), 0.05)
    joined = with_one_rate(lanes, (*lanes, Lane(optimizer=Adam())))
    assert {lane.optimizer.lr for lane in joined} == {0.05}
    edited = with_one_rate(lanes, (lanes[0], lanes[1].but(optimizer=Adam(lr=0.2))))
    assert {lane.optimizer.lr for lane in edited} == {0.2}
    another = with_one_rate(lanes, (lanes[0], lanes[1].but(optimizer=SGD())))
    assert {lane.optimizer.lr for lane in another} == {0.05}
    fewer = with_one_rate(lanes, lanes[1:])
    assert {lane.optimizer.lr for lane in fewer} == {0.05}
