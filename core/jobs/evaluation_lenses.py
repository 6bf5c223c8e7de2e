"""The jobs behind Evaluate: what a model says of a whole split, and the figures that follow from it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from core.data.gallery import SplitName, split_named
from core.jobs.job import Desk
from core.jobs.lenses import WeightsJob, loaded
from core.metrics.bootstrap import N_RESAMPLES
from core.seeds import stream_seed


class SplitJob(WeightsJob):
    """A look at a model on a whole split."""

    split: SplitName = "test"


class PredictionsJob(SplitJob):
    """What a model says of every example of a split."""

    kind: Literal["predictions"] = "predictions"
    label = "Predictions"

    def result(self, desk: Desk) -> Any:
        from core.evaluation.predictions import predictions

        model, step = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        return predictions(model, splits, self.split, step, desk.progress)


class EvaluateJob(SplitJob):
    """Metrics of a split with bootstrap intervals, and the curves that belong to them.

    Its result is an `Evaluation`, or for regression a `NumberEvaluation`. The model also sees the validation split: the
    temperature that mends its probabilities comes from there.
    """

    kind: Literal["evaluate"] = "evaluate"
    label = "Metrics"
    resamples: Annotated[int, Field(ge=0, le=10_000)] = N_RESAMPLES
    """Of the examples, for the intervals; 0 for none."""

    def result(self, desk: Desk) -> Any:
        from core.evaluation.metrics import Resampling, evaluation
        from core.evaluation.predictions import predictions

        model, step = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        is_other = self.split != "validation" and splits.profile.task == "classification"
        n, n_validation = len(split_named(splits, self.split)), len(splits.validation) if is_other else 0

        def report_first(done: int, _total: int) -> None:
            desk.progress(done, n + n_validation)

        def report_second(done: int, _total: int) -> None:
            desk.progress(n + done, n + n_validation)

        def look_up() -> None:
            desk.progress(n + n_validation, n + n_validation)

        found = predictions(model, splits, self.split, step, report_first)
        validation = predictions(model, splits, "validation", step, report_second) if is_other else found
        seed = stream_seed(self.experiment.seed, "explain")
        return evaluation(found, validation, Resampling(self.resamples, seed, look_up))
