"""What the gradient at this very example says: Saliency, SmoothGrad and input × gradient."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.randomness import torch_generator
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

NO_GRADIENT = (
    "This method asks how the output changes when the input changes a little, and a word cannot change a little. "
    "Take a method for texts."
)
GRADIENT_BATCH = 64
"""Inputs that go through the model at once when it is differentiated."""
SMALL_CHANGE = 0.1
"""Logits, or standard deviations of a number. A smaller change of the output counts as this much when a residual is judged."""


class Saliency(ExplainerChoice):
    """Shows how strongly the output reacts to a small change of each input."""

    label: ClassVar[str] = "Saliency"
    source: ClassVar[str] = "Simonyan, Vedaldi, Zisserman 2013, Deep inside convolutional networks, section 3"
    kind: Literal["saliency"] = "saliency"
    signed: bool = False
    """Off: the size of the gradient, of the strongest channel of a pixel. On: with its sign, channels summed: red where
    more of the input means more output."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words have no gradient."""
        return NO_GRADIENT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The gradient at each pixel or feature. It says what a change would do, not what is there already."""
        evaluations = Evaluations(subject, progress, planned=1)
        found = _slope(gradients(evaluations, subject.x)[0], self.signed)
        return _per_unit(evaluations.drafted(self, found), self.signed)


class SmoothGrad(ExplainerChoice):
    """Averages the gradient over noisy copies of the input, so that what changes from pixel to pixel by chance goes away."""

    label: ClassVar[str] = "SmoothGrad"
    source: ClassVar[str] = "Smilkov et al. 2017, SmoothGrad: removing noise by adding noise"
    kind: Literal["smooth_grad"] = "smooth_grad"
    n_samples: int = Field(25, ge=2, le=500)
    """How many noisy copies are averaged."""
    noise: float = Field(0.1, ge=0.01, le=1.0)
    """Standard deviation of the noise: of an image as a share of its range, of a feature in its own standard deviations."""
    signed: bool = False
    """Off: the size of the mean gradient, of the strongest channel of a pixel. On: with its sign, channels summed."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words have no gradient."""
        return NO_GRADIENT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The mean gradient at each pixel or feature; the noise is drawn from the subject's seed."""
        import torch

        evaluations = Evaluations(subject, progress, planned=self.n_samples)
        generator = torch_generator(subject.seed)
        x = subject.x
        spread = x.max() - x.min() if x.ndim == 4 else subject.background.std(0, keepdim=True)
        total = np.zeros(tuple(x.shape[1:]))
        for start in range(0, self.n_samples, GRADIENT_BATCH):
            n = min(GRADIENT_BATCH, self.n_samples - start)
            noise = torch.randn((n, *x.shape[1:]), generator=generator)
            total += gradients(evaluations, x + self.noise * spread * noise).sum(0)
        found = _slope(total / self.n_samples, self.signed)
        return replace(_per_unit(evaluations.drafted(self, found), self.signed), seed=subject.seed)


class InputXGradient(ExplainerChoice):
    """Multiplies each input by its gradient: what the output would lose at this slope if the input went to zero."""

    label: ClassVar[str] = "Input × gradient"
    source: ClassVar[str] = "Shrikumar et al. 2016, Not just a black box: learning important features through propagation"
    kind: Literal["input_x_gradient"] = "input_x_gradient"

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words have no gradient."""
        return NO_GRADIENT if profile.modality == "sequence" else None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions, channels summed. What is 0, as the model receives it, gets none."""
        evaluations = Evaluations(subject, progress, planned=1)
        found = subject.x[0].double().numpy() * gradients(evaluations, subject.x)[0]
        return evaluations.drafted(self, channels_summed(found))


def gradients(evaluations: Evaluations, inputs: "torch.Tensor") -> np.ndarray:
    """The gradient of the explained output at each input, (N, *input_shape) float64."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        x = inputs.clone().requires_grad_()
        # In evaluation mode no example looks at another, so the gradient of the sum is that of each.
        (found,) = torch.autograd.grad(evaluations.forward(x).sum(), x)
    as_numbers: np.ndarray = found.double().numpy()
    return as_numbers


def channels_summed(values: np.ndarray) -> np.ndarray:
    """(C, H, W) -> (H, W); the features of a table stay as they are."""
    summed: np.ndarray = values.sum(0) if values.ndim == 3 else values
    return summed


def background_rows(subject: Subject, n: int) -> "torch.Tensor":
    """`n` examples evenly over the background, so that a sorted one is not cut to its first class; (n, *input_shape)."""
    import torch

    n = min(n, len(subject.background))
    return subject.background[torch.from_numpy(np.linspace(0, len(subject.background) - 1, n).round().astype(np.int64))]


def _slope(gradient: np.ndarray, signed: bool) -> np.ndarray:
    """The gradient as one number per pixel or feature."""
    if signed:
        return channels_summed(gradient)
    size: np.ndarray = np.abs(gradient)
    return size.max(0) if size.ndim == 3 else size


def _per_unit(drafted: Attribution, signed: bool) -> Attribution:
    """A slope is no part of the output: its unit says so."""
    return replace(drafted, unit=f"{drafted.unit} per unit of input", output_unit=drafted.unit, signed=signed)
