"""Explanations from gradients: Grad-CAM and Integrated Gradients, both by captum."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.explanation.evaluations import Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import NO_TEXT, ExplainerChoice, Progress, Subject
from core.results.attribution import Attribution

if TYPE_CHECKING:
    from torch import nn

SMALLEST_MAP, GOOD_MAP = 4, 7
"""Sides of a feature map: below the first Grad-CAM cannot say where, from the second on it says it well."""
MOST_STEPS = 256
SMALL_CHANGE = 0.1
"""Logits, or standard deviations of a number. A smaller change of the output counts as this much when the integration error is
judged."""
WITH_MAPS = ("Conv2d", "Backbone")
"""Kinds of layers that hold a convolution."""
INTERNAL_BATCH = 64


class GradCam(ExplainerChoice):
    """Shows where in the image the last convolution found evidence for the class."""

    label: ClassVar[str] = "Grad-CAM"
    source: ClassVar[str] = "Selvaraju et al. 2017, Grad-CAM: visual explanations via gradient-based localization"
    kind: Literal["grad_cam"] = "grad_cam"

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image and a convolution."""
        if profile.modality != "image":
            return "Grad-CAM points at places in an image, and this data set has no images."
        if not any(kind in WITH_MAPS for kind in layer_kinds):
            return "Grad-CAM reads the maps of a convolution, and this model has none. Add a Conv2d layer."
        return None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Evidence at each pixel, at least 0: gradient-weighted maps of the last convolution, enlarged bilinearly.

        Raises:
            NotApplicable: no convolution has maps of at least 4 × 4.
        """
        import torch
        from captum.attr import LayerAttribution, LayerGradCam

        evaluations = Evaluations(subject, progress, planned=1)
        with torch.inference_mode(False), torch.enable_grad():
            x = subject.x.clone().requires_grad_()
            name, layer, side = _cam_layer(subject.module, x)
            cam = LayerGradCam(evaluations.forward, layer).attribute(x, relu_attributions=True)
            heat = LayerAttribution.interpolate(cam, tuple(x.shape[2:]), "bilinear")[0, 0].detach()
        notes = [f"Read from layer {name}, whose maps have {side[0]} × {side[1]} pixels."]
        if not heat.any():
            notes.append(f"This layer found nothing that speaks for {subject.class_names[subject.target]}.")
        drafted = evaluations.drafted(self, heat.numpy())
        return replace(drafted, unit="relative", signed=False, notes=tuple(notes))


class IntegratedGradients(ExplainerChoice):
    """Adds up the gradient along the way from a blank input to this one, and so shares out the change of the output."""

    label: ClassVar[str] = "Integrated Gradients"
    source: ClassVar[str] = "Sundararajan, Taly, Yan 2017, Axiomatic attribution for deep networks"
    kind: Literal["integrated_gradients"] = "integrated_gradients"
    steps: int = Field(32, ge=8, le=MOST_STEPS)
    """Points on the way, at first; doubled while the sum misses the change of the output by more than 1 %."""
    baseline: Baseline = "mean"
    """The blank input: the mean colour of the training images, or black. Black hides what is itself black."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words: half of a word is none, so that there is no way from a blank text to this one."""
        return NO_TEXT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions that sum to the change of the output, up to `residual`."""
        import torch

        evaluations = Evaluations(subject, progress, planned=self.steps + 2)
        blank = baseline_input(subject, self.baseline)
        base, output = (float(logit) for logit in evaluations.logits(torch.cat([blank, subject.x])))
        change = max(abs(output - base), SMALL_CHANGE * subject.scale)
        allowed = 0.01 * change
        steps = self.steps
        values, residual = _integrated(evaluations, blank, steps, base - output)
        while abs(residual) > allowed and steps * 2 <= MOST_STEPS:
            steps *= 2
            evaluations.planned += steps
            values, residual = _integrated(evaluations, blank, steps, base - output)
        notes = [f"{steps} steps."]
        if abs(residual) > allowed:
            miss = abs(residual) / change
            notes.append(f"Not converged: after {steps} steps the sum still misses the change of the output by {miss:.1%}.")
        return replace(
            evaluations.drafted(self, values),
            base=base,
            residual=residual,
            baseline=baseline_text(subject, self.baseline),
            notes=tuple(notes),
        )


def _integrated(evaluations: Evaluations, blank: object, steps: int, minus_change: float) -> tuple[np.ndarray, float]:
    """Contributions with channels summed, (H, W) or (F,), and what their sum misses, in logits."""
    import torch
    from captum.attr import IntegratedGradients as CaptumIntegratedGradients

    with torch.inference_mode(False), torch.enable_grad():
        x = evaluations.subject.x.clone().requires_grad_()
        # captum's default rule (Gauss-Legendre) needs a tenth of the steps of the trapezoid.
        method = CaptumIntegratedGradients(evaluations.forward)
        found = method.attribute(x, baselines=blank, n_steps=steps, internal_batch_size=INTERNAL_BATCH)
    values: np.ndarray = found[0].detach().double().numpy()
    values = values.sum(0) if values.ndim == 3 else values
    return values, float(values.sum() + minus_change)


def _cam_layer(module: "nn.Module", x: object) -> tuple[str, "nn.Module", tuple[int, int]]:
    """Name, module and map size of the last convolution with maps of at least 7 × 7, or else of at least 4 × 4."""
    from captum.attr import LayerActivation
    from torch import nn

    convolutions = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d)}
    # What fits a skip to its sum stands after the inner layers, and looks at less than they do.
    layers = {name: layer for name, layer in convolutions.items() if not name.endswith("projection")}
    maps = LayerActivation(module, list(layers.values())).attribute(x) if layers else []
    sides = [(int(found.shape[2]), int(found.shape[3])) for found in maps]
    for wanted in (GOOD_MAP, SMALLEST_MAP):
        for (name, layer), side in reversed(list(zip(layers.items(), sides, strict=True))):
            if min(side) >= wanted:
                return _label(name), layer, side
    raise NotApplicable(
        f"No convolution of this model has maps of at least {SMALLEST_MAP} × {SMALLEST_MAP} pixels.",
        hint="Pool later or less, so that the last convolution still sees places.",
    )


def _label(name: str) -> str:
    """A module's name as the screens number layers, from 1: "0" is `1 Conv2d`, and "3.inner.0" is `4 (inner.0)`."""
    number, _, inside = name.partition(".")
    if not number.isdigit():
        return name
    return f"{int(number) + 1} ({inside})" if inside else f"{int(number) + 1} Conv2d"
