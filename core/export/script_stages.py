"""How one lane came to be what it is: what it was at first, and each change that was made on the way."""

from dataclasses import dataclass

from core.errors import SpecError
from core.experiment.apply import with_change
from core.experiment.changes import LaneAddition, LaneRemoval, OptimizerSwap
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane


@dataclass(frozen=True, slots=True)
class Stage:
    """What a lane is from step `after_step + 1` on."""

    after_step: int
    lane: Lane
    is_fresh: bool
    """Its optimizer begins with an empty memory."""


@dataclass(frozen=True, slots=True)
class Course:
    """All that happens to one lane, in order; at least one stage."""

    stages: tuple[Stage, ...]
    name: str
    ends_after: int | None = None
    """The step after which the lane was removed."""

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return tuple(stage.lane for stage in self.stages)

    @property
    def first(self) -> Lane:
        return self.stages[0].lane


def course_of(experiment: Experiment, lane: int) -> Course:
    """What happens to a lane, also one that joins on the way: a fork was its source until then.

    Raises:
        SpecError: there is no such lane.
    """
    now = experiment
    courses = [[Stage(0, one, is_fresh=True)] for one in experiment.lanes]
    ends: dict[int, int] = {}
    for change in experiment.changes:
        try:
            after = with_change(now, change.command())
        except SpecError:  # training tells that it cannot be, and goes on as it was
            continue
        if isinstance(change, LaneAddition):
            courses.append(_joined(courses, change))
        elif isinstance(change, LaneRemoval):
            ends.setdefault(change.lane, change.after_step)
        else:
            is_fresh = isinstance(change, OptimizerSwap)
            courses[change.lane].append(Stage(change.after_step, after.lanes[change.lane], is_fresh))
        now = after
    if not 0 <= lane < len(courses):
        raise SpecError(f"There is no lane {lane}.", hint=f"Lanes are numbered 0 to {len(courses) - 1}.")
    return Course(tuple(courses[lane]), now.lane_names()[lane], ends.get(lane))


def _joined(courses: list[list[Stage]], change: LaneAddition) -> list[Stage]:
    if change.fork_of < 0:
        return [Stage(0, change.definition, is_fresh=True)]
    source = courses[change.fork_of]
    before, after = source[-1].lane.optimizer, change.definition.optimizer
    is_fresh = (before.kind, before.n_kept) != (after.kind, after.n_kept)  # as core/training/lanes.py decides
    return [*source, Stage(change.after_step, change.definition, is_fresh)]
