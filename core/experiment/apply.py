"""What a change by hand makes of an experiment: pure, so that page, supervisor and training loop agree on what may be."""

from collections.abc import Iterable

from core.errors import SpecError
from core.events import AddLane, Command, Event, RemoveLane, SetHyper, SwapOptimizer, remade
from core.experiment.changes import change_of
from core.experiment.experiment import MAX_LANES, Experiment
from core.experiment.lane import Lane


def with_change(experiment: Experiment, command: Command) -> Experiment:
    """The experiment as it is after a change by hand. Commands that change no lane leave it as it is.

    A removed lane stays in the list, so that the numbers of the others do not shift.

    Raises:
        SpecError: there is no such lane or number, a value is out of its bounds, or a text describes no lane.
    """
    match command:
        case SetHyper():
            return experiment.with_hyper(command.lane, command.name, command.value)
        case SwapOptimizer():
            lane = existing(experiment, command.lane)
            change = change_of(0, command)
            optimizer = getattr(change, "optimizer", lane.optimizer)
            return experiment.with_lane(command.lane, lane.but(optimizer=optimizer, name=""))
        case AddLane():
            if command.source != -1:
                existing(experiment, command.source)
            if len(experiment.lanes) >= MAX_LANES:
                raise SpecError(f"A race has at most {MAX_LANES} lanes, also counting removed ones.", hint="Start a new race.")
            added = getattr(change_of(0, command), "definition", None)
            return experiment.but(lanes=(*experiment.lanes, added))
        case RemoveLane():
            existing(experiment, command.lane)
    return experiment


def existing(experiment: Experiment, lane: int) -> Lane:
    """The lane of this number.

    Raises:
        SpecError: there is none.
    """
    if not 0 <= lane < len(experiment.lanes):
        raise SpecError(f"There is no lane {lane}.", hint=f"Lanes are numbered 0 to {len(experiment.lanes) - 1}.")
    return experiment.lanes[lane]


def after_events(experiment: Experiment, events: Iterable[Event]) -> Experiment:
    """The experiment as it is after the changes by hand in a run's events."""
    for event in events:
        made = remade(event)
        if made is not None:
            experiment = with_change(experiment, made[1])
    return experiment
