"""DeepSHAP, by shap, where it is exact."""

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.explanation.deep_support import AT_THE_END, INSTEAD, reason_against_kinds, reason_against_module
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.gradient import NO_GRADIENT, background_rows, channels_summed
from core.explanation.integrated import judged_change
from core.explanation.shapley import shap_package
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH = 10
"""Background examples that go through the model at once, each beside the example that is explained."""
MOST_MISSED = 0.01
"""Share of the change of the output. On exact layers the sum misses about a millionth."""
HEAD_POINTS = 32
"""Points of the integral over what is made of the outputs: a probability, a difference."""


class DeepShap(ExplainerChoice):
    """Passes the difference to training examples back through the layers by rules that share it out without loss."""

    label: ClassVar[str] = "DeepSHAP"
    source: ClassVar[str] = "Lundberg, Lee 2017, A unified approach to interpreting model predictions, section 4.2"
    kind: Literal["deep_shap"] = "deep_shap"
    n_background: int = Field(20, ge=2, le=100)
    """How many training examples this one is compared with."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Words have no differences, and many layers have no exact rule."""
        return NO_GRADIENT if profile.modality == "sequence" else reason_against_kinds(layer_kinds)

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Signed contributions that sum to the output less its mean over the background.

        Raises:
            NotApplicable: a module has no exact rule, or the values do not add up.
        """
        import torch

        rows = background_rows(subject, self.n_background)
        evaluations = Evaluations(subject, progress, planned=3 * len(rows))
        # shap hooks the model, and leaves the hooks behind when it is stopped: it gets a copy that is thrown away.
        answer = _explained(replace(subject, module=copy.deepcopy(subject.module)), evaluations)
        total, base = np.zeros(tuple(subject.x.shape[1:])), 0.0
        with torch.inference_mode(False), torch.enable_grad():
            for part in torch.split(rows, BATCH):
                values, mean = _compared(answer, subject.x, part)
                total += values * len(part)
                base += mean * len(part)
        values, base = channels_summed(total / len(rows)), base / len(rows)
        drafted = evaluations.drafted(self, values)
        residual = float(values.sum() + base - drafted.output)
        miss = abs(residual) / judged_change(subject, drafted.output - base)
        if miss > MOST_MISSED:
            raise NotApplicable(
                f"The values of DeepSHAP miss the change of the output by {miss:.0%}: a step of this model has no exact rule.",
                hint=INSTEAD,
            )
        words = f"mean output over {len(rows)} training examples"
        return replace(drafted, base=base, residual=residual, baseline=words)


def _compared(answer: "nn.Module", x: "torch.Tensor", rows: "torch.Tensor") -> tuple[np.ndarray, float]:
    """Contributions (*input_shape) float64, averaged over the rows beside the example, and the mean output there."""
    explainer = _deep().DeepExplainer(answer, rows.clone())
    # shap's own check compares with the wrong class at times (ranked outputs), and raises where a sentence is wanted.
    found = np.asarray(explainer.shap_values(x.clone(), check_additivity=False), float)
    return found[0, ..., 0], float(np.ravel(explainer.explainer.expected_value)[0])


def _explained(subject: Subject, evaluations: Evaluations) -> "nn.Module":
    """A module whose one output is what is explained of the subject, for the example and the rows that it is compared with.

    Raises:
        NotApplicable: it has no exact rule for a part of it.
    """
    import torch
    from torch import nn

    stack, end = _without_end(subject.module)
    if reason := reason_against_module(stack, subject.x):
        raise NotApplicable(reason, hint="Choose another method.")

    class Explained(nn.Module):
        """What becomes of the outputs (a softmax, a probability, a difference) mixes the classes, for which shap has no rule.
        It is shared out among the outputs by its gradient, averaged on the way from each row to the example: no loss."""

        def __init__(self) -> None:
            super().__init__()
            self.stack = stack

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.stack(x)
            evaluations.count(len(x))
            if not outputs.requires_grad:  # shap asks for the mean over the rows
                return answers(outputs)[:, None]
            return (outputs * _shares(outputs.detach()).repeat(2, 1)).sum(1, keepdim=True)

    def answers(outputs: torch.Tensor) -> torch.Tensor:
        return subject.answers(end(outputs))

    def _shares(outputs: torch.Tensor) -> torch.Tensor:  # (2 B, K), the example first -> (B, K)
        shown, rows = outputs.double().chunk(2)
        nodes, weights = np.polynomial.legendre.leggauss(HEAD_POINTS)
        shares = torch.zeros_like(rows)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            at = (rows + node * (shown - rows)).requires_grad_()
            (slope,) = torch.autograd.grad(answers(at).sum(), at)
            shares += weight * slope
        return shares.to(outputs.dtype)

    return Explained()


def _without_end(module: "nn.Module") -> "tuple[nn.Module, nn.Module]":
    """A stack without its last layer where that mixes the classes, and that layer."""
    from torch import nn

    if isinstance(module, nn.Sequential) and len(module) and type(module[-1]).__name__ in AT_THE_END:
        return module[:-1], module[-1]
    return module, nn.Identity()


def _deep() -> Any:
    """The shap package, told of the linear modules that it does not know: without, it warns of each of them."""
    shap = shap_package()
    from shap.explainers._deep.deep_pytorch import op_handler, passthrough

    for kind in ("Unflatten", "Upsample", "TwoLogits", "OwnUnit"):
        op_handler.setdefault(kind, passthrough)
    return shap
