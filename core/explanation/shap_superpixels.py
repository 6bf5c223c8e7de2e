"""SHAP for images: Shapley values of superpixels."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Progress, Subject, unless_image
from core.explanation.segments import Cut, patch_worth, subject_segments
from core.explanation.shap_outcome import SHAP_SOURCE, shap_outcome
from core.explanation.shapley import n_coalitions, shared_out
from core.results.attribution import Attribution


class ShapSuperpixels(ExplainerChoice):
    """Shares out the change of the output fairly among the patches of the image, over many orders of showing them."""

    label: ClassVar[str] = "SHAP"
    source: ClassVar[str] = SHAP_SOURCE
    kind: Literal["shap_superpixels"] = "shap_superpixels"
    n_evaluations: int = Field(500, ge=100, le=100_000)
    """How many images with hidden patches are tried, when there are more than 12 patches. More makes the error bars shorter."""
    n_segments: int = Field(49, ge=4, le=100)
    """About how many patches the image is cut into. Up to 12, all combinations are tried and the values are exact."""
    cut: Cut = "slic"
    """How it is cut: slic follows the edges of the picture, grid makes equal squares."""
    baseline: Baseline = "mean"
    """What hidden patches show: the mean colour of the training images, this image blurred, black, or noise."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image."""
        reason = "This SHAP hides patches of an image, and this data set has no images. Take SHAP for tables."
        return unless_image(profile, reason)

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The Shapley value of each patch, painted."""
        segments = subject_segments(subject, self.n_segments, self.cut)
        n_players = int(segments.max()) + 1
        evaluations = Evaluations(subject, progress, planned=n_coalitions(n_players, self.n_evaluations))
        worth = patch_worth(evaluations, segments, baseline_input(subject, self.baseline))
        found = shared_out(worth, n_players, self.n_evaluations, subject.seed)
        progress(evaluations.done, evaluations.done)
        outcome = shap_outcome(evaluations, self, found, segments)
        return replace(outcome, baseline=baseline_text(subject, self.baseline))
