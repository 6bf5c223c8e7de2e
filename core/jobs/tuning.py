"""Looks for a good learning rate: a range test of one lane, and a sweep over rates and optimizers."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from core.experiment.check import checked
from core.experiment.experiment import Budget, Experiment
from core.experiment.lane import Lane
from core.experiment.rates import Grid, lane_for_range_test, rows, usual_rate, with_rate
from core.jobs.job import Desk
from core.jobs.lenses import LensJob
from core.jobs.training import origin_bytes
from core.settings import Settings

MAX_LANE = 31


class RangeTestJob(LensJob):
    """What the loss of one lane does while its learning rate grows, and the curvature at its initial weights."""

    kind: Literal["range_test"] = "range_test"
    label: ClassVar[str] = "Learning-rate range test"
    experiment: Experiment
    lane_index: Annotated[int, Field(ge=0, le=MAX_LANE)] = 0
    steps: Annotated[int, Field(ge=81, le=1601)] | None = None
    """Steps from the lowest rate to the highest; None for as many as the batch size asks for."""

    @classmethod
    def of(cls, experiment: Experiment, lane: int) -> Self:
        """The range test of a lane. Its rate and schedule, the other lanes and the budget do not count, and are not in it.

        Raises:
            SpecError: the lane cannot be tested.
        """
        plain = usual_rate(lane_for_range_test(experiment, lane))
        return cls(experiment=_alone(experiment, (plain,)))

    def check(self, settings: Settings) -> None:
        """Refuses experiments that cannot run, and optimizers that do not follow a changing rate."""
        lane = lane_for_range_test(self.experiment, self.lane_index)
        checked(self.experiment.but(lanes=(lane,), repeats=1, changes=()), settings)

    def result(self, desk: Desk) -> Any:
        from core.training.lr_finder import range_test

        origin = origin_bytes(self.experiment, desk)
        return range_test(self.experiment, self.lane_index, steps=self.steps, origin=origin, report=desk.progress)


class SweepJob(LensJob):
    """Final validation loss of every lane with every learning rate of a grid."""

    kind: Literal["sweep"] = "sweep"
    label: ClassVar[str] = "Sweep of learning rates"
    experiment: Experiment
    grid: Grid = Grid()

    @classmethod
    def of(cls, experiment: Experiment, lanes: tuple[Lane, ...], grid: Grid) -> Self:
        """The sweep of these lanes; their rates and the budget do not count."""
        named = [(name, usual_rate(lane)) for name, lane in rows(lanes)]
        return cls(experiment=_alone(experiment, tuple(lane.but(name=name[:40]) for name, lane in named)), grid=grid)

    def check(self, settings: Settings) -> None:
        """Refuses experiments of which not even one cell can run."""
        lane = with_rate(self.experiment.lanes[0], self.grid.rates()[0])
        budget = Budget(epochs=None, steps=self.grid.steps)
        checked(self.experiment.but(lanes=(lane,), repeats=self.grid.seeds, budget=budget, changes=()), settings)

    def result(self, desk: Desk) -> Any:
        from core.training.sweep import sweep

        origin = origin_bytes(self.experiment, desk)
        return sweep(self.experiment, self.grid, settings=desk.settings, origin=origin, report=desk.progress)


def _alone(experiment: Experiment, lanes: tuple[Lane, ...]) -> Experiment:
    """The experiment with these lanes, without what does not count in a search for rates, such as an optimizer's state."""
    origin = experiment.origin and experiment.origin.but(optimizer_state=False)
    return experiment.but(lanes=lanes, repeats=1, budget=Budget(), changes=(), origin=origin)
