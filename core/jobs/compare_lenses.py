"""The jobs behind "what if" and "who is right": one prediction, and where two models disagree."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import Splits
from core.data.gallery import Example, SplitName
from core.data.plane import SPAN
from core.errors import SpecError
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import WeightsJob, loaded
from core.results.prediction import Prediction
from core.settings import Settings
from core.spec import Spec

SEGMENTS = 49
"""About how many patches a picture is cut into, to be erased one by one."""


class PredictionJob(WeightsJob):
    """What the model says of one example, and what there is to change in it."""

    kind: Literal["prediction"] = "prediction"
    label = "Prediction"

    def result(self, desk: Desk) -> Any:
        import torch

        from core.models.output import class_probabilities, predicted_numbers

        model, step = self.model(desk)
        chosen = self.chosen(desk)
        splits, shown = chosen.splits, chosen.example
        with torch.inference_mode():
            output = model(torch.from_numpy(shown.x)).double()
            is_number = splits.profile.task == "regression"
            probabilities = np.zeros(0) if is_number else class_probabilities(model, output)[0].numpy()
        value = float(predicted_numbers(output)[0]) * splits.target_scale + splits.target_shift if is_number else None
        found = Prediction(
            class_names=splits.profile.class_names,
            probabilities=probabilities.astype(np.float32),
            label=shown.label,
            step=step,
            value=value,
            target_name=splits.profile.target_name,
            pixels=shown.pixels,
            tokens=shown.tokens,
        )
        return _with_row(_with_patches(found, splits), splits, shown)


def _with_patches(found: Prediction, splits: Splits) -> Prediction:
    """Superpixels of a picture, and what they are erased to."""
    if found.pixels is None:
        return found
    from core.explanation.segments import superpixels

    originals = splits.originals[0] if splits.originals else splits.train
    mean = originals.x.astype(np.float64).mean((0, 2, 3)) * (255 / splits.brightest)
    segments = superpixels(found.pixels / 255.0, SEGMENTS)
    return replace(found, segments=segments, mean_colour=np.rint(mean).clip(0, 255).astype(np.uint8))


def _with_row(found: Prediction, splits: Splits, shown: Example) -> Prediction:
    """The numbers of a row, and between which values the training data have them."""
    if shown.raw is None:
        return found
    found = replace(found, raw=shown.raw, raw_names=shown.raw_names)
    before = splits.original_profile or splits.profile
    if before.modality == "points":
        return replace(found, raw_low=np.full(2, -SPAN), raw_high=np.full(2, SPAN))
    train = splits.originals[0] if splits.originals else splits.train
    low, high = np.nanmin(train.x, axis=0), np.nanmax(train.x, axis=0)
    return replace(found, raw_categories=before.categories, raw_low=low, raw_high=high)


class Rival(Spec):
    """Another model, or the same one at another moment."""

    experiment: Experiment
    weights: ArtifactRef | None = None
    series: Annotated[int, Field(ge=0, le=127)] = 0


class DisagreementJob(WeightsJob):
    """The examples of a split on which two models differ."""

    kind: Literal["disagreement"] = "disagreement"
    label = "Disagreement"
    rival: Rival
    split: SplitName = "validation"
    n: Annotated[int, Field(ge=1, le=200)] = 40

    def check(self, settings: Settings) -> None:
        """Refuses models of different data: their predictions are of different examples."""
        super().check(settings)
        checked(self.rival.experiment, settings)
        mine, other = self.experiment, self.rival.experiment
        if mine.data != other.data or mine.seed != other.seed:
            raise SpecError(
                "These two models were trained on different data, or on another split of them.",
                hint="Choose a run with the same data, preparation and seed.",
            )

    def result(self, desk: Desk) -> Any:
        from core.inspection.disagreement import answers, disagreement

        splits = loaded(self.experiment.data, self.experiment.seed)
        desk.progress(0, 2)
        mine, step = self.model(desk)
        first = answers(mine, splits, self.split)
        desk.progress(1, 2)
        other, other_step = _as_job(self.rival).model(desk)
        second = answers(other, splits, self.split)
        return disagreement(splits, self.split, (first, second), (step, other_step), self.n)


def _as_job(rival: Rival) -> PredictionJob:
    """A job that loads the rival's weights."""
    return PredictionJob(experiment=rival.experiment, weights=rival.weights, series=rival.series)
