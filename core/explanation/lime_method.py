"""LIME: a simple linear model that imitates the network around one example."""

import contextlib
import io
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import IMAGE_BATCH, Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Progress, Subject, unless_columns, unless_image
from core.explanation.randomness import explain_seed, seeded_numpy
from core.explanation.segments import Cut, subject_segments
from core.results.attribution import Attribution

POOR_FIT = 0.5
"""A linear model that explains less than this share of what the network does around an example is trusted little."""
QUARTERS = (
    "LIME only tells whether a feature is in the same quarter of the training values: how it changes within a quarter is lost, "
    "of a linear network too."
)


class LimeImage(ExplainerChoice):
    """Hides random patches of the image and fits a linear model to what the network then says."""

    label: ClassVar[str] = "LIME"
    source: ClassVar[str] = 'Ribeiro, Singh, Guestrin 2016, "Why should I trust you?"'
    kind: Literal["lime_image"] = "lime_image"
    n_samples: int = Field(500, ge=100, le=5000)
    """How many images with hidden patches are tried. More is slower and steadier from seed to seed."""
    n_segments: int = Field(49, ge=4, le=100)
    """About how many patches the image is cut into."""
    cut: Cut = "slic"
    """How it is cut: slic follows the edges of the picture, grid makes equal squares."""
    baseline: Baseline = "mean"
    """What hidden patches show: the mean colour of the training images, this image blurred, black, or noise."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image."""
        reason = "This LIME hides patches of an image, and this data set has no images. Take LIME for tables."
        return unless_image(profile, reason)

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The weight of each patch in the linear model, painted; `base` is its intercept (all patches hidden)."""
        import torch
        from lime.lime_image import LimeImageExplainer

        evaluations = Evaluations(subject, progress, planned=self.n_samples)
        segments = subject_segments(subject, self.n_segments, self.cut)
        fill = baseline_input(subject, self.baseline)[0].numpy().transpose(1, 2, 0)

        def predict(images: np.ndarray) -> np.ndarray:  # (N, H, W, C) -> (N, 1)
            batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32))
            return evaluations.logits(batch)[:, None]

        with seeded_numpy(subject.seed) as seed, contextlib.redirect_stderr(io.StringIO()):
            # A fresh explainer per call: a used one has moved its generator on. tqdm cannot be switched off, so stderr is.
            explainer = LimeImageExplainer(feature_selection="none", random_state=seed)
            found = explainer.explain_instance(
                subject.x[0].numpy().transpose(1, 2, 0),
                predict,
                labels=(0,),
                top_labels=None,
                hide_color=fill,  # a whole image; from None lime makes the mean of each patch, which hides next to nothing
                num_samples=self.n_samples,
                batch_size=IMAGE_BATCH,
                # Given segments, lime needs no colour image, and its labels start at 0: from 1 the last is never hidden.
                segmentation_fn=lambda image: segments,
            )
        weights = _by_index(found.local_exp[0])
        return replace(
            evaluations.drafted(self, weights[segments]),
            base=float(found.intercept[0]),
            fit_r2=float(found.score),
            seed=subject.seed,
            baseline=baseline_text(subject, self.baseline),
            players=weights,
            segments=segments,
            notes=_fit_notes(float(found.score)),
        )


class LimeTabular(ExplainerChoice):
    """Draws rows in which some features leave their quarter of the data, and fits a linear model to what the network says."""

    label: ClassVar[str] = "LIME"
    source: ClassVar[str] = LimeImage.source
    kind: Literal["lime_tabular"] = "lime_tabular"
    n_samples: int = Field(2000, ge=200, le=20_000)
    """How many drawn rows are tried. More is slower and steadier from seed to seed."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a table or points."""
        reason = "This LIME works on named features, and this data set has images. Take LIME on patches of the image."
        return unless_columns(profile, reason)

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """What it adds to the output that each feature stays in its own quarter of the training values."""
        import torch
        from lime.lime_tabular import LimeTabularExplainer

        evaluations = Evaluations(subject, progress, planned=self.n_samples)

        def predict(rows: np.ndarray) -> np.ndarray:  # (N, F) -> (N,)
            return evaluations.logits(torch.from_numpy(np.ascontiguousarray(rows, np.float32)))

        with seeded_numpy(subject.seed):
            explainer = LimeTabularExplainer(
                subject.background.double().numpy(),
                # The classification mode insists on probabilities; we explain a logit, or a number.
                mode="regression",
                feature_selection="none",
                discretize_continuous=True,
                random_state=explain_seed(subject.seed),
            )
            row = subject.x[0].double().numpy()
            found = explainer.explain_instance(row, predict, num_features=len(row), num_samples=self.n_samples)
        weights = _by_index(found.local_exp[1])
        return replace(
            evaluations.drafted(self, weights),
            base=float(found.intercept[1]),
            fit_r2=float(found.score),
            seed=subject.seed,
            baseline="rows drawn from the quarters of the training values",
            players=weights,
            notes=_fit_notes(float(found.score), QUARTERS),
        )


def _by_index(weights: list[tuple[int, float]]) -> np.ndarray:
    """lime's (index, weight) pairs, sorted by size, as one array in the order of the index."""
    ordered = np.zeros(len(weights))
    for index, weight in weights:
        ordered[index] = weight
    return ordered


def _fit_notes(r2: float, reason: str = "") -> tuple[str, ...]:
    if r2 >= POOR_FIT:
        return ()
    share = f"The linear model explains only {max(r2, 0.0):.0%} of what the network does around this example: trust it little."
    return (share, reason) if reason else (share,)
