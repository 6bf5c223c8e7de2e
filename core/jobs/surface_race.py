"""The lens job that sends lanes over an analytic surface."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.errors import SpecError
from core.experiment.experiment import MAX_LANES
from core.experiment.lane import Lane
from core.jobs.job import Desk
from core.jobs.lenses import LensJob
from core.optim.surfaces import SurfaceTask
from core.settings import Settings


class SurfaceRaceJob(LensJob):
    """The ways of some lanes over an analytic surface."""

    kind: Literal["surface_race"] = "surface_race"
    label: ClassVar[str] = "Race over a surface"
    task: SurfaceTask
    lanes: Annotated[tuple[Lane, ...], Field(min_length=1, max_length=MAX_LANES)]

    def check(self, settings: Settings) -> None:
        """Refuses a start that is not on the surface."""
        surface = self.task.surface
        if not surface.holds(self.task.start):
            x, y = surface.centre
            raise SpecError(
                f"The start {self.task.start} lies outside of the surface.",
                hint=f"Choose x from {x - surface.half:g} to {x + surface.half:g}, and y from {y - surface.half:g} to "
                f"{y + surface.half:g}.",
            )

    def result(self, desk: Desk) -> Any:
        from core.training.surface_race import surface_race

        return surface_race(self.task, self.lanes, desk.progress)
