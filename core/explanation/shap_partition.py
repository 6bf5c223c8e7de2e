"""SHAP on halves of halves of an image: Owen values, which need no segments, by shap."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import IMAGE_BATCH, Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Progress, Subject, unless_image
from core.explanation.randomness import seeded_numpy
from core.explanation.shap_outcome import SHAP_SOURCE
from core.explanation.shapley import shap_package
from core.results.attribution import Attribution


class ShapPartition(ExplainerChoice):
    """Halves the image again and again where it matters, and shares out the change of the output among the parts."""

    label: ClassVar[str] = "SHAP partition"
    source: ClassVar[str] = SHAP_SOURCE
    kind: Literal["shap_partition"] = "shap_partition"
    n_evaluations: int = Field(500, ge=100, le=10_000)
    """How many images with hidden parts are tried. More makes the parts finer."""
    baseline: Baseline = "mean"
    """What hidden parts show: the mean colour of the training images, this image blurred, black, or noise."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image."""
        return unless_image(profile, "This SHAP halves an image, and this data set has no images. Take SHAP for tables.")

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Owen values of pixels, channels summed: parts that were not halved any further share theirs evenly.

        Source of the hierarchy: Owen 1977, "Values of games with a priori unions".
        """
        import torch

        shap = shap_package()
        evaluations = Evaluations(subject, progress, planned=self.n_evaluations)
        image = _channels_last(subject.x)
        fill = _channels_last(baseline_input(subject, self.baseline))

        def predict(images: np.ndarray) -> np.ndarray:  # (N, H, W, C) -> (N, 1)
            batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32))
            return evaluations.logits(batch)[:, None]

        with seeded_numpy(subject.seed):
            # The fill as an array: the names that shap takes for one cut a picture in [0, 1] to two grey levels.
            explainer = shap.PartitionExplainer(predict, shap.maskers.Image(fill, shape=image.shape))
            found = explainer(image[None], max_evals=self.n_evaluations, batch_size=IMAGE_BATCH, silent=True)
        progress(evaluations.done, evaluations.done)
        values = np.asarray(found.values, float).reshape(image.shape).sum(-1)
        base = float(np.ravel(found.base_values)[0])
        drafted = evaluations.drafted(self, values)
        return replace(
            drafted,
            base=base,
            residual=float(values.sum() + base - drafted.output),
            baseline=baseline_text(subject, self.baseline),
            seed=subject.seed,  # shap breaks ties between parts by chance
            notes=(f"Parts of the image were hidden in {evaluations.done} ways.",),
        )


def _channels_last(images: "object") -> np.ndarray:
    """(1, C, H, W) -> (H, W, C) float64."""
    array: np.ndarray = np.asarray(images, np.float64)[0].transpose(1, 2, 0)
    return np.ascontiguousarray(array)
