"""What training makes small. Every loss takes logits (N, K) and class targets (N,) and returns the mean over the batch."""

import importlib
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu
from core.types import Task

if TYPE_CHECKING:
    from torch import nn


class LossChoice(Choice):
    """A loss. Its fields are the keyword arguments of the torch class."""

    torch_class: ClassVar[str]
    unit: ClassVar[str]
    """What the number on the axis means."""
    task: ClassVar[Task] = "classification"

    def n_outputs(self, n_classes: int) -> int:
        """How many numbers the last layer must give for data of `n_classes` (0 for regression)."""
        return n_classes

    def build(self) -> "nn.Module":
        """The torch module, with mean reduction."""
        module, name = self.torch_class.split(":")
        arguments: dict[str, Any] = self.model_dump(exclude={"kind"})
        loss: nn.Module = getattr(importlib.import_module(module), name)(**arguments)
        return loss


class CrossEntropy(LossChoice):
    """Minus the log of the probability that the model gives the right class. Takes logits: no Softmax at the end."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label = "Cross-entropy"
    source = "Good 1952; Bishop 2006, section 4.3.4"
    torch_class = "torch.nn:CrossEntropyLoss"
    unit = "nats"
    label_smoothing: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of the target that is spread over all classes."""


class MultiMargin(LossChoice):
    """Multi-class hinge: how far a wrong logit comes within a margin of the right one. Zero when all margins are kept."""

    kind: Literal["multi_margin"] = "multi_margin"
    label = "Hinge (multi-class margin)"
    source = "Weston & Watkins 1999"
    torch_class = "torch.nn:MultiMarginLoss"
    unit = "margin"
    margin: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    """How far the right logit should lead."""


AnyLoss = Annotated[CrossEntropy | MultiMargin, on_menu()]
