"""A new experiment that starts from a checkpoint of a run, and its twin that starts from nothing."""

from core.experiment.check_origin import lane_of
from core.experiment.experiment import Experiment
from core.experiment.origin import Origin


def forked(source: Experiment, origin: Origin) -> Experiment:
    """As `source`, starting from `origin`: of a race the lane whose weights are taken, and no changes on the way.

    Args:
        source: the experiment as the run has it now, with its changes by hand.
    """
    lane = lane_of(source, origin) or source.lanes[0]
    return source.but(origin=origin, lanes=(lane,), changes=())


def from_scratch(experiment: Experiment) -> Experiment:
    """The same data, layers, optimizer, seed and budget, from fresh initial weights, all of them trained."""
    return experiment.but(origin=None, frozen=())
