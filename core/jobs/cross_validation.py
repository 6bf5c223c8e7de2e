"""The job that trains once per fold."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.experiment.fold_plan import FEWEST_FOLDS, MOST_FOLDS, USUAL_FOLDS, expected_seconds, reason_against
from core.jobs.job import Desk
from core.jobs.long_lens import LongLensJob
from core.settings import Settings


class CrossValidationJob(LongLensJob):
    """K-fold cross-validation: every example of training and validation split is held out once."""

    kind: Literal["cross_validation"] = "cross_validation"
    label = "Cross-validation"
    k: Annotated[int, Field(ge=FEWEST_FOLDS, le=MOST_FOLDS)] = USUAL_FOLDS
    """Folds: so many runs are trained."""

    @classmethod
    def of(cls, experiment: Experiment, k: int) -> Self:
        """The cross-validation of an experiment. Its repeats and changes by hand do not count, and are not in it."""
        return cls(experiment=experiment.but(repeats=1, changes=()), k=k)

    def check(self, settings: Settings) -> None:
        """Refuses experiments that cannot run, and more folds than a class can have members."""
        super().check(settings)
        if reason := reason_against(self.experiment, self.k):
            raise SpecError(reason, hint="Choose fewer folds, or take more examples.")

    def expected_s(self) -> float | None:
        return expected_seconds(self.experiment, self.k) or None

    def result(self, desk: Desk) -> Any:
        from core.training.crossval import cross_validation

        return cross_validation(self.experiment, self.k, settings=desk.settings, report=desk.progress)
