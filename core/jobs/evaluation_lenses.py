"""The jobs behind Evaluate: what a model says of a whole split, and the figures that follow from it."""

from typing import Any, Literal

from core.data.gallery import SplitName
from core.jobs.job import Desk
from core.jobs.lenses import WeightsJob, loaded


class PredictionsJob(WeightsJob):
    """What a model says of every example of a split."""

    kind: Literal["predictions"] = "predictions"
    label = "Predictions"
    split: SplitName = "test"

    def result(self, desk: Desk) -> Any:
        from core.evaluation.predictions import predictions

        model, step = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        return predictions(model, splits, self.split, step, desk.progress)


class EvaluateJob(PredictionsJob):
    """Metrics of a split with bootstrap intervals, and the curves that belong to them."""

    kind: Literal["evaluate"] = "evaluate"  # type: ignore[assignment]
    label = "Metrics"
