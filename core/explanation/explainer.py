"""What an explainer is: a Choice that says whether it applies, and attributes one output of a prepared model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import DataProfile
from core.results.attribution import Attribution
from core.spec import Choice
from core.types import Task

if TYPE_CHECKING:
    import torch
    from torch import nn

NO_TEXT = "This method works on pictures and on named numbers. It cannot hide or change words, and this data set has texts."

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
