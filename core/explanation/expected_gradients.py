"""Expected gradients: Integrated Gradients from many training examples, in place of one blank input."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.gradient import GRADIENT_BATCH, NO_GRADIENT, background_rows, channels_summed, gradients
from core.explanation.integrated import judged_change
from core.results.attribution import Attribution

MUCH_MISSED = 0.1
"""Share of the change of the output. The midpoints of 50 ways miss a few percent."""


class ExpectedGradients(ExplainerChoice):
    """Averages Integrated Gradients over training examples as starting points, so that no single blank input must be chosen."""

    label: ClassVar[str] = "Expected gradients"
    source: ClassVar[str] = "Erion et al. 2021, Improving performance of deep learning models with axiomatic attribution priors"
    kind: Literal["expected_gradients"] = "expected_gradients"
    n_background: int = Field(50, ge=2, le=100)
    """How many training examples the ways start from."""
    n_points: int = Field(4, ge=1, le=64)
    """Points on each way, at the middle of equal parts of it. More makes the residual smaller."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words: there is no way from one to another."""
        return NO_GRADIENT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions that sum to the output less its mean over the background, up to `residual`.

        Every start gets every point. Drawn at random, as in the paper, ten times as many points give the same error.
        """
        import torch

        starts = background_rows(subject, self.n_background)
        evaluations = Evaluations(subject, progress, planned=len(starts) * (self.n_points + 1))
        base = float(evaluations.logits(starts).mean())
        ways = subject.x - starts  # (B, *input_shape)
        parts = (torch.arange(self.n_points) + 0.5) / self.n_points
        total = np.zeros(tuple(subject.x.shape[1:]))
        pairs = torch.cartesian_prod(torch.arange(len(starts)), torch.arange(self.n_points))
        for pair in torch.split(pairs.reshape(-1, 2), GRADIENT_BATCH):
            way = ways[pair[:, 0]]
            part = parts[pair[:, 1]].reshape(-1, *[1] * (way.ndim - 1))
            slopes = gradients(evaluations, starts[pair[:, 0]] + part * way)
            total += (slopes * way.double().numpy()).sum(0)
        values = channels_summed(total / len(pairs))
        drafted = evaluations.drafted(self, values)
        residual = float(values.sum() + base - drafted.output)
        return replace(
            drafted,
            base=base,
            residual=residual,
            baseline=f"mean output over {len(starts)} training examples",
            notes=_notes(abs(residual) / judged_change(subject, drafted.output - base)),
        )


def _notes(miss: float) -> tuple[str, ...]:
    if miss <= MUCH_MISSED:
        return ()
    return (f"The sum misses the change of the output by {miss:.0%}: take more points on each way.",)
