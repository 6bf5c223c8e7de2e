"""Integrated Gradients for texts: words have no halves, but their vectors have."""

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.gradient import GRADIENT_BATCH
from core.explanation.integrated import ALLOWED_MISS, MOST_STEPS, IntegratedGradients, judged_change
from core.explanation.text_players import Words, drafted_text, reason_against_text, words_of
from core.results.attribution import Attribution

if TYPE_CHECKING:
    from torch import nn

NO_EMBEDDING = "Integrated Gradients on words reads the vectors of an Embedding layer, and this model has none. Add one."


class LayerIntegratedGradients(ExplainerChoice):
    """Adds up the gradient along the way from vectors that say nothing to those of the words of this text."""

    label: ClassVar[str] = "Layer Integrated Gradients"
    source: ClassVar[str] = IntegratedGradients.source
    kind: Literal["layer_integrated_gradients"] = "layer_integrated_gradients"
    hidden: Literal["padding", "unknown"] = "padding"
    """Where the way starts: padding for its vector, which is zero, unknown for the vector of the unknown word."""
    steps: int = Field(32, ge=8, le=MOST_STEPS)
    """Points on the way, at first; doubled while the sum misses the change of the output by more than 1 %."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a text and an embedding."""
        if reason := reason_against_text(profile, self.label):
            return reason
        return None if "Embedding" in layer_kinds else NO_EMBEDDING

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions of the tokens that sum to the change of the output, up to `residual`.

        Raises:
            NotApplicable: no layer turns tokens into vectors.
        """
        import torch
        from torch import nn

        words = words_of(subject, self.hidden)
        layers: list[nn.Module] = [layer for layer in subject.module.modules() if isinstance(layer, nn.Embedding)]
        if not layers:
            raise NotApplicable(NO_EMBEDDING, hint="Or take SHAP or LIME, which need none.")
        evaluations = Evaluations(subject, progress, planned=self.steps + 2)
        base, output = (float(logit) for logit in evaluations.logits(torch.cat([words.hidden, words.row])))
        change = judged_change(subject, output - base)
        allowed = ALLOWED_MISS * change
        steps = self.steps
        values = _integrated(evaluations, words, layers, steps)
        while abs(values.sum() + base - output) > allowed and steps * 2 <= MOST_STEPS:
            steps *= 2
            evaluations.planned += steps
            values = _integrated(evaluations, words, layers, steps)
        residual = float(values.sum() + base - output)
        notes = [f"{steps} steps."]
        if abs(residual) > allowed:
            miss = abs(residual) / change
            notes.append(f"Not converged: after {steps} steps the sum still misses the change of the output by {miss:.1%}.")
        drafted = drafted_text(evaluations, self, values, self.hidden)
        return replace(drafted, base=base, residual=residual, notes=(*notes, *drafted.notes))


def _integrated(evaluations: Evaluations, words: Words, layers: "list[nn.Module]", steps: int) -> np.ndarray:
    """Contributions (L,) of the tokens: those of the numbers of their vectors, and of all embeddings that read them, summed."""
    import torch
    from captum.attr import LayerIntegratedGradients as CaptumLayerIntegratedGradients

    with warnings.catch_warnings():
        # captum fears that one of several layers feeds another one; all of ours read the tokens themselves.
        warnings.filterwarnings("ignore", "Multiple layers provided", UserWarning)
        method = CaptumLayerIntegratedGradients(evaluations.forward, layers)
    with torch.inference_mode(False), torch.enable_grad():
        found = method.attribute(
            words.row.clone(), baselines=words.hidden.clone(), n_steps=steps, internal_batch_size=GRADIENT_BATCH
        )
    parts = [part.detach().double()[0].sum(-1).numpy() for part in found]  # each (1, L, D) -> (L,)
    values: np.ndarray = np.sum(parts, axis=0)
    return values
