"""The model's answers as explainers ask for them: batched, counted and reported, so that every method can be stopped."""

import math
import time
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.errors import SpecError
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.randomness import torch_generator
from core.models.output import class_probabilities, output_form
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

IMAGE_BATCH = 24
"""Large enough that a pass costs little beside its images, small enough that the C library keeps the memory of the maps from
one pass to the next: from 32 on, giving it back and fetching it again took a third of the time (28 × 28, 16 channels)."""
TABLE_BATCH = 1024

Baseline = Literal["mean", "blur", "black", "noise"]
"""What stands for nothing. Tables know "mean" and "black" (zeros, as the model receives them); the others are mean there."""
BLUR_SHARE = 0.25
"""Standard deviation of the blur, in shares of the shorter side: no shape is left of it."""


class Evaluations:
    """The target's logit for any inputs, with a count of evaluations that goes to `progress` batch by batch.

    Raises:
        SpecError: the class is held against itself; with no class chosen, only the model knows that it is.
    """

    def __init__(self, subject: Subject, progress: Progress, planned: int) -> None:
        if subject.contrast == subject.target:
            raise SpecError(
                f"The network predicts {subject.class_names[subject.target]}: a class cannot be held against itself.",
                hint="Choose which class is explained, or another one that it is held against.",
            )
        self.subject = subject
        self.done = 0
        self.planned = planned
        self.started = time.perf_counter()
        self._own: torch.Tensor | None = None
        self._progress = progress
        self._batch = IMAGE_BATCH if subject.x.ndim == 4 else TABLE_BATCH
        progress(0, planned)

    def logits(self, inputs: "torch.Tensor") -> np.ndarray:
        """The target's logit of each input, (N, *input_shape) -> (N,) float64, without gradients."""
        import torch

        with torch.inference_mode():
            parts = []
            for part in torch.split(inputs, self._batch):
                parts.append(self.subject.answers(self._outputs(part)).double().numpy())
                self.count(len(part))
        return np.concatenate(parts)

    def forward(self, inputs: "torch.Tensor") -> "torch.Tensor":
        """The target's logit of each input, (N, *input_shape) -> (N,), for methods that differentiate it."""
        answers = self.subject.answers(self._outputs(inputs))
        self.count(len(inputs))
        return answers

    def drafted(self, choice: ExplainerChoice, values: np.ndarray) -> Attribution:
        """The attribution with all that does not depend on the method; its `output` is the logit of the plain example."""
        import torch

        subject = self.subject
        is_number = subject.task == "regression"
        with torch.inference_mode():
            # A method that looked at the plain example has them already.
            outputs = (subject.module(subject.x) if self._own is None else self._own).double()  # (1, K)
            probabilities = None if is_number else class_probabilities(subject.module, outputs)[0]
        return Attribution(
            method=choice.kind,
            label=choice.label,
            target=subject.target,
            target_name=subject.target_name,
            unit=answer_unit(subject),
            values=values.astype(np.float32),
            output=float(subject.answers(outputs)[0]),
            probability=math.nan if probabilities is None else float(probabilities[subject.target]),
            step=subject.step,
            signed=True,
            n_evaluations=self.done,
            seconds=time.perf_counter() - self.started,
            input=subject.x[0].numpy(),
            pixels=subject.pixels,
            feature_names=subject.feature_names,
            feature_values=subject.feature_values,
            evidence=subject.evidence,
            contrast="" if subject.contrast is None else subject.class_names[subject.contrast],
        )

    def _outputs(self, inputs: "torch.Tensor") -> "torch.Tensor":
        """The module's outputs (N, K); those of the plain example alone are kept for `drafted`."""
        import torch

        outputs: torch.Tensor = self.subject.module(inputs)
        if len(inputs) == 1 and self._own is None and torch.equal(inputs, self.subject.x):
            self._own = outputs.detach()
        return outputs

    def count(self, n: int) -> None:
        """So many evaluations more were made: told to `progress`, which may raise to cancel."""
        self.done += n
        self.planned = max(self.planned, self.done)
        self._progress(self.done, self.planned)


def answer_unit(subject: Subject) -> str:
    """The unit of what is explained; a predicted number is its own."""
    if subject.task == "regression":
        return subject.class_names[0]
    form: str = output_form(subject.module)
    return "probability" if subject.in_probability or form == "sigmoid" else form


def baseline_input(subject: Subject, baseline: Baseline) -> "torch.Tensor":
    """An input that says nothing, (1, *input_shape).

    The mean colour (a table: the mean row) of the background, this image without its shapes, zeros, or the colours of the
    background at random, by the subject's seed.
    """
    import torch

    if baseline == "black":
        return torch.zeros_like(subject.x)
    is_image = subject.x.ndim == 4
    axes = (0, 2, 3) if is_image else (0,)
    mean = subject.background.mean(axes, keepdim=True).expand_as(subject.x).clone()
    if not is_image or baseline == "mean":
        return mean
    if baseline == "blur":
        return _blurred(subject.x)
    spread = subject.background.std(axes, keepdim=True)
    return mean + spread * torch.randn(mean.shape, generator=torch_generator(subject.seed))


def _blurred(x: "torch.Tensor") -> "torch.Tensor":
    """Images (N, C, H, W) of which only the rough distribution of colours is left."""
    import torch
    from scipy.ndimage import gaussian_filter  # torchvision has one too, and takes seconds to import

    sigma = BLUR_SHARE * min(x.shape[2:])
    return torch.from_numpy(gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="reflect"))


def baseline_text(subject: Subject, baseline: Baseline) -> str:
    """What `baseline_input` is, in words."""
    if subject.x.ndim == 4:
        return {
            "mean": "mean colour of the training images",
            "blur": "this image, blurred until no shape is left",
            "black": "black",
            "noise": "noise in the colours of the training images",
        }[baseline]
    return "zeros, as the model receives them" if baseline == "black" else "mean of the training examples"
