"""What a run has come to, read from its log: its lanes with all changes by hand, its plan, its epochs, its phases."""

from collections.abc import Iterator

from core.errors import SpecError
from core.events import Event, LaneRemoved, PhaseDone, Planned, Started
from core.experiment.apply import after_events
from core.experiment.changes import AnyChange, changes_of
from core.experiment.experiment import Experiment
from core.store.protocol import LoggedEvent, RunRecord
from dashboard.session import resources, state

CHANGES = ("HyperChanged", "OptimizerSwapped", "LaneAdded", "LaneRemoved")
CURVES = ("Started", "EpochDone", "LaneEpochDone", "LaneAdded", "LaneRemoved", "Finished", "Failed")
"""What tells who is ahead."""
PAGE = 10_000
RECENT = 400
"""Events among which the phases of the present step and the newest plan of a lane that joins are."""


def events(record: RunRecord, *names: str, after: int = 0) -> tuple[Event, ...]:
    """The events of these names, in the order in which they happened."""
    found = [logged for name in names for logged in _pages(record.id, name, after)]
    return tuple(logged.event for logged in sorted(found, key=lambda logged: logged.seq))


def _pages(run: str, name: str, after: int) -> Iterator[LoggedEvent]:
    while page := resources.reader().events(run, after, PAGE, name=name):
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq


def experiment_now(record: RunRecord) -> Experiment:
    """The run's experiment after all changes by hand so far; removed lanes keep their places."""
    asked = state.experiment_of(record.job)
    try:
        return after_events(asked, events(record, *CHANGES))
    except SpecError:  # a log that was rewound between two looks names lanes that are gone; the next look is whole again
        return asked


def removed_lanes(record: RunRecord) -> frozenset[int]:
    """The numbers of the lanes that are trained no longer."""
    return frozenset(event.lane for event in events(record, "LaneRemoved") if isinstance(event, LaneRemoved))


def changes_by_hand(record: RunRecord) -> tuple[AnyChange, ...]:
    """What was changed in this run so far, also what its experiment prescribed."""
    return changes_of(events(record, *CHANGES))


def repeatable(record: RunRecord) -> Experiment:
    """The run's experiment with all that was changed by hand, so that training it makes the same curves again.

    Raises:
        SpecError: there are more changes than an experiment holds.
    """
    experiment = state.experiment_of(record.job)
    to_come = (change for change in experiment.changes if change.after_step > record.last_step)
    return experiment.but(changes=(*changes_by_hand(record), *to_come))


def plan(record: RunRecord) -> Planned | None:
    """Who trains together now, and why; None before the run has said so."""
    found = [event for event in events(record, "Planned") if isinstance(event, Planned)]
    return found[-1] if found else None


def started(record: RunRecord) -> Started | None:
    """How the run began; None before it has."""
    found = [event for event in events(record, "Started") if isinstance(event, Started)]
    return found[-1] if found else None


def phases(record: RunRecord) -> tuple[PhaseDone, ...]:
    """The phases of the newest step that was made in phases, as long as nothing was trained since."""
    found = [e for e in events(record, "PhaseDone", after=max(0, record.last_seq - RECENT)) if isinstance(e, PhaseDone)]
    if not found or found[-1].step < record.last_step:
        return ()
    return tuple(event for event in found if event.step == found[-1].step)
