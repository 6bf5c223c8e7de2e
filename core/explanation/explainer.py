"""What an explainer is: a Choice that says whether it applies, and attributes one output of a prepared model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.data.dataset import DataProfile
from core.models.output import class_probabilities
from core.results.attribution import Attribution
from core.spec import Choice
from core.types import Task

if TYPE_CHECKING:
    import torch
    from torch import nn

NO_TEXT = "This method works on pictures and on named numbers. It cannot hide or change words, and this data set has texts."

Unit = Literal["logit", "probability"]

Progress = Callable[[int, int], None]
"""Called with (model evaluations done, total); it may raise to cancel, and nothing may swallow that."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One prediction to explain. The module is a prepared copy (`prepared_model`) with one output per class, or for regression
    one output in the unit of its target.

    `x` (1, *input_shape) float32; `background` (B, *input_shape) float32 from the training split; `target` is the class
    whose logit is explained, 0 for regression; `class_names` then holds the name of the number alone; `pixels` (H, W[, 3])
    uint8 for images; `feature_values` (F,) before scaling for tables.
    """

    module: "nn.Module"
    x: "torch.Tensor"
    background: "torch.Tensor"
    target: int
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    pixels: np.ndarray | None
    feature_values: np.ndarray | None
    step: int
    seed: int
    task: Task = "classification"
    scale: float = 1.0
    """What counts as a change of the output: 1 logit, or for regression one standard deviation of the target."""
    contrast: int | None = None
    """A class whose answer is taken away: "why `target` and not this". Classification alone."""
    in_probability: bool = False
    """The probability of the class is explained, in place of its logit."""
    evidence: np.ndarray | None = None
    """Which part decides the class, where it is known: (H, W) or (L,) bool."""
    tokens: tuple[str, ...] = ()
    """Sequences: the token of each number in `x` (1, L) int64, "" for padding."""
    vocabulary: tuple[str, ...] = ()
    """Sequences: the token of each number there is."""

    @property
    def target_name(self) -> str:
        """The class that is explained, and the one that it is held against."""
        name = self.class_names[self.target]
        return name if self.contrast is None else f"{name}, not {self.class_names[self.contrast]}"

    def answers(self, outputs: "torch.Tensor") -> "torch.Tensor":
        """What is explained, (N,), of outputs (N, K) of the module."""
        if self.in_probability:
            outputs = class_probabilities(self.module, outputs)
        answer: torch.Tensor = outputs[:, self.target]
        return answer if self.contrast is None else answer - outputs[:, self.contrast]


class ExplainerChoice(Choice):
    """One method."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Why this method does not apply to this data and stack, in words; None when it does. Torch-free."""
        raise TypeError(f"{type(self).__name__} must say when it applies")

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The attribution of `subject.target`'s logit, or of the predicted number.

        Raises:
            NotApplicable: as `reason_against`, found out late.
        """
        raise TypeError(f"{type(self).__name__} must attribute")


def unless_image(profile: DataProfile, reason: str) -> str | None:
    """Why a method for pictures does not apply: `reason` for tables and points; None for pictures."""
    if profile.modality == "image":
        return None
    return NO_TEXT if profile.modality == "sequence" else reason


def unless_columns(profile: DataProfile, reason: str) -> str | None:
    """Why a method for named numbers does not apply: `reason` for pictures; None for tables and points."""
    if profile.modality == "sequence":
        return NO_TEXT
    return reason if profile.modality == "image" else None
