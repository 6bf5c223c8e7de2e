"""Occlusion, by captum: what the output loses when a window is hidden."""

from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.data.dataset import DataProfile
from core.errors import SpecError
from core.explanation.evaluations import IMAGE_BATCH, Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Progress, Subject, unless_image
from core.results.attribution import Attribution

WINDOW_SHARE = 6
"""A window that nobody chose is this small a part of the shorter side: 5 of 28 pixels."""


class Occlusion(ExplainerChoice):
    """Slides a window over the image, hides what is under it, and writes down how much the output falls."""

    label: ClassVar[str] = "Occlusion"
    source: ClassVar[str] = "Zeiler, Fergus 2014, Visualizing and understanding convolutional networks, section 4.2"
    kind: Literal["occlusion"] = "occlusion"
    window: int | None = Field(None, ge=1, le=64)
    """Side of the window, in pixels; empty for a sixth of the shorter side of the image."""
    stride: int | None = Field(None, ge=1, le=64)
    """Pixels from one place of the window to the next; empty for half of its side. Smaller is slower and smoother."""
    baseline: Baseline = "mean"
    """What the window is filled with. What looks like it cannot be missed."""

    @model_validator(mode="after")
    def _covers_all(self) -> Self:
        if self.window is not None and self.stride is not None and self.stride > self.window:
            raise SpecError(
                f"A window of {self.window} pixels that moves by {self.stride} leaves pixels out.",
                hint=f"Set the stride to {self.window} or less.",
            )
        return self

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image."""
        return unless_image(
            profile,
            "Occlusion slides a window over an image, and this data set has none. Take SHAP, which hides named features.",
        )

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """How much the output falls when a pixel is hidden, as the mean over the windows that cover it; below 0 it rises."""
        import torch
        from captum.attr import Occlusion as CaptumOcclusion

        channels, height, width = subject.x.shape[1:]
        window, stride = self.sizes(height, width)
        rows, columns = (-(-(side - window) // stride) + 1 for side in (height, width))
        evaluations = Evaluations(subject, progress, planned=rows * columns + 1)
        with torch.no_grad():
            found = CaptumOcclusion(evaluations.forward).attribute(
                subject.x,
                sliding_window_shapes=(channels, window, window),
                strides=(channels, stride, stride),
                baselines=baseline_input(subject, self.baseline),
                perturbations_per_eval=IMAGE_BATCH,
            )
        drafted = evaluations.drafted(self, found[0, 0].double().numpy())  # all channels are hidden together: all are alike
        return replace(
            drafted,
            unit=f"{drafted.unit} per window",
            output_unit=drafted.unit,
            baseline=baseline_text(subject, self.baseline),
            seed=subject.seed if self.baseline == "noise" else None,
            notes=(f"A window of {window} × {window} pixels, moved by {stride}.",),
        )

    def sizes(self, height: int, width: int) -> tuple[int, int]:
        """Side of the window and its stride on an image of this size."""
        side = min(height, width)
        window = min(side, self.window or max(2, round(side / WINDOW_SHARE)))
        return window, min(window, self.stride or max(1, window // 2))
