"""The model's answers as explainers ask for them: batched, counted and reported, so that every method can be stopped."""

import math
import time
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.models.output import class_probabilities, output_form
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

IMAGE_BATCH = 128
"""A small convolutional net costs the same per image from 64 on; smaller batches make stop quicker."""
TABLE_BATCH = 1024

Baseline = Literal["mean", "black"]


class Evaluations:
    """The target's logit for any inputs, with a count of evaluations that goes to `progress` batch by batch."""

    def __init__(self, subject: Subject, progress: Progress, planned: int) -> None:
        self.subject = subject
        self.done = 0
        self.planned = planned
        self.started = time.perf_counter()
        self._progress = progress
        self._batch = IMAGE_BATCH if subject.x.ndim == 4 else TABLE_BATCH
        progress(0, planned)

    def logits(self, inputs: "torch.Tensor") -> np.ndarray:
        """The target's logit of each input, (N, *input_shape) -> (N,) float64, without gradients."""
        import torch

        with torch.inference_mode():
            parts = []
            for part in torch.split(inputs, self._batch):
                parts.append(self.subject.module(part)[:, self.subject.target].double().numpy())
                self._count(len(part))
        return np.concatenate(parts)

    def forward(self, inputs: "torch.Tensor") -> "torch.Tensor":
        """The target's logit of each input, (N, *input_shape) -> (N,), for methods that differentiate it."""
        logits: torch.Tensor = self.subject.module(inputs)[:, self.subject.target]
        self._count(len(inputs))
        return logits

    def drafted(self, choice: ExplainerChoice, values: np.ndarray) -> Attribution:
        """The attribution with all that does not depend on the method; its `output` is the logit of the plain example."""
        import torch

        subject = self.subject
        is_number = subject.task == "regression"
        with torch.inference_mode():
            outputs = subject.module(subject.x).double()  # (1, K)
            probabilities = None if is_number else class_probabilities(subject.module, outputs)[0]
        form = output_form(subject.module)
        return Attribution(
            method=choice.kind,
            label=choice.label,
            target=subject.target,
            target_name=subject.class_names[subject.target],
            unit=subject.class_names[0] if is_number else "probability" if form == "sigmoid" else form,
            values=values.astype(np.float32),
            output=float(outputs[0, subject.target]),
            probability=math.nan if probabilities is None else float(probabilities[subject.target]),
            step=subject.step,
            signed=True,
            n_evaluations=self.done,
            seconds=time.perf_counter() - self.started,
            input=subject.x[0].numpy(),
            pixels=subject.pixels,
            feature_names=subject.feature_names,
            feature_values=subject.feature_values,
        )

    def _count(self, n: int) -> None:
        self.done += n
        self.planned = max(self.planned, self.done)
        self._progress(self.done, self.planned)


def baseline_input(subject: Subject, baseline: Baseline) -> "torch.Tensor":
    """An input that says nothing, (1, *input_shape): the mean colour (a table: the mean row) of the background, or zeros."""
    import torch

    if baseline == "black":
        return torch.zeros_like(subject.x)
    axes = (0, 2, 3) if subject.x.ndim == 4 else (0,)
    return subject.background.mean(axes, keepdim=True).expand_as(subject.x).clone()


def baseline_text(subject: Subject, baseline: Baseline) -> str:
    """What `baseline_input` is, in words."""
    if subject.x.ndim == 4:
        return "mean colour of the training images" if baseline == "mean" else "black"
    return "mean of the training examples" if baseline == "mean" else "zeros, as the model receives them"
