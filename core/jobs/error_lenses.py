"""The jobs behind the errors of a model: the confusion matrix over time, slices of the data, and disturbed inputs."""

from typing import Literal

from core.jobs.evaluation_lenses import PredictionsJob


class ConfusionOverTimeJob(PredictionsJob):
    """The confusion matrix of a split at several kept moments."""

    kind: Literal["confusion_over_time"] = "confusion_over_time"  # type: ignore[assignment]
    label = "Confusion matrix over time"


class SlicesJob(PredictionsJob):
    """The score on parts of a split: by class, by a feature, by brightness, by length."""

    kind: Literal["slices"] = "slices"  # type: ignore[assignment]
    label = "Slices"


class RobustnessJob(PredictionsJob):
    """Accuracy against the strength of a disturbance."""

    kind: Literal["robustness"] = "robustness"  # type: ignore[assignment]
    label = "Robustness"
