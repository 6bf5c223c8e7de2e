"""Integrated Gradients, by captum: from one blank input to this one."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.gradient import GRADIENT_BATCH, NO_GRADIENT, SMALL_CHANGE, channels_summed
from core.results.attribution import Attribution

MOST_STEPS = 256
ALLOWED_MISS = 0.01
"""Share of the change of the output that the sum may miss before more steps are taken."""
SMALL_PROBABILITY_CHANGE = 0.01


class IntegratedGradients(ExplainerChoice):
    """Adds up the gradient along the way from a blank input to this one, and so shares out the change of the output."""

    label: ClassVar[str] = "Integrated Gradients"
    source: ClassVar[str] = "Sundararajan, Taly, Yan 2017, Axiomatic attribution for deep networks"
    kind: Literal["integrated_gradients"] = "integrated_gradients"
    steps: int = Field(32, ge=8, le=MOST_STEPS)
    """Points on the way, at first; doubled while the sum misses the change of the output by more than 1 %."""
    baseline: Baseline = "mean"
    """The blank input. What looks like it gets no contribution: black hides what is itself black."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words: half of a word is none, so that there is no way from a blank text to this one."""
        return NO_GRADIENT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions that sum to the change of the output, up to `residual`."""
        import torch

        evaluations = Evaluations(subject, progress, planned=self.steps + 2)
        blank = baseline_input(subject, self.baseline)
        base, output = (float(logit) for logit in evaluations.logits(torch.cat([blank, subject.x])))
        change = judged_change(subject, output - base)
        steps = self.steps
        values, residual = _integrated(evaluations, blank, steps, base - output)
        while abs(residual) > ALLOWED_MISS * change and steps * 2 <= MOST_STEPS:
            steps *= 2
            evaluations.planned += steps
            values, residual = _integrated(evaluations, blank, steps, base - output)
        notes = [f"{steps} steps."]
        if abs(residual) > ALLOWED_MISS * change:
            miss = abs(residual) / change
            notes.append(f"Not converged: after {steps} steps the sum still misses the change of the output by {miss:.1%}.")
        return replace(
            evaluations.drafted(self, values),
            base=base,
            residual=residual,
            baseline=baseline_text(subject, self.baseline),
            seed=subject.seed if self.baseline == "noise" and subject.x.ndim == 4 else None,
            notes=tuple(notes),
        )


def judged_change(subject: Subject, change: float) -> float:
    """The size of a change of the output, as that by which a residual is judged: never next to nothing."""
    least = SMALL_PROBABILITY_CHANGE if subject.in_probability else SMALL_CHANGE * subject.scale
    return max(abs(change), least)


def _integrated(evaluations: Evaluations, blank: object, steps: int, minus_change: float) -> tuple[np.ndarray, float]:
    """Contributions with channels summed, (H, W) or (F,), and what their sum misses, in logits."""
    import torch
    from captum.attr import IntegratedGradients as CaptumIntegratedGradients

    with torch.inference_mode(False), torch.enable_grad():
        x = evaluations.subject.x.clone().requires_grad_()
        # captum's default rule (Gauss-Legendre) needs a tenth of the steps of the trapezoid.
        method = CaptumIntegratedGradients(evaluations.forward)
        found = method.attribute(x, baselines=blank, n_steps=steps, internal_batch_size=GRADIENT_BATCH)
    values = channels_summed(found[0].detach().double().numpy())
    return values, float(values.sum() + minus_change)
