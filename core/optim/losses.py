"""What training makes small: the mean over the batch of how wrong each output is.

Every loss takes the model's output (N, K) and targets: classes (N,), shares of the classes (N, K) after MixUp, or numbers
(N,) for regression.
"""

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


class Focal(LossChoice):
    """Cross-entropy that counts examples less the surer the model is of them: what is hard, or rare, gets the attention."""

    kind: Literal["focal"] = "focal"
    label = "Focal"
    source = "Lin et al. 2017, equation 4"
    torch_class = "core.optim.loss_modules:Focal"
    unit = "focal nats"
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0
    """How fast easy examples lose weight, as (1 - p) to this power; 0 is cross-entropy."""


class MultiMargin(LossChoice):
    """Multi-class hinge: how far a wrong logit comes within a margin of the right one. Zero when all margins are kept."""

    kind: Literal["multi_margin"] = "multi_margin"
    label = "Hinge (multi-class margin)"
    source = "Weston & Watkins 1999"
    torch_class = "core.optim.loss_modules:MultiMargin"
    unit = "margin"
    margin: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    """How far the right logit should lead."""


class BinaryCrossEntropy(LossChoice):
    """Cross-entropy of two classes from one output: the logit of the second class. No Sigmoid at the end."""

    kind: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    label = "Binary cross-entropy"
    source = "Cox 1958; Bishop 2006, section 4.3.2"
    torch_class = "core.optim.loss_modules:BinaryCrossEntropy"
    unit = "nats"

    def n_outputs(self, n_classes: int) -> int:
        """One, whatever the classes: it can tell two of them apart."""
        return 1


class RegressionLoss(LossChoice):
    """A distance between the one output and the number to predict, both as the data preparation has scaled it."""

    task: ClassVar[Task] = "regression"

    def n_outputs(self, n_classes: int) -> int:
        """One number."""
        return 1


class MeanSquaredError(RegressionLoss):
    """The square of the error: its best guess is the mean, and one far outlier weighs more than many near misses."""

    kind: Literal["mse"] = "mse"
    label = "Mean squared error"
    source = "Gauss 1809; Bishop 2006, section 3.1.1"
    torch_class = "core.optim.loss_modules:MeanSquaredError"
    unit = "squared error"


class MeanAbsoluteError(RegressionLoss):
    """The size of the error: its best guess is the median, so that outliers pull little."""

    kind: Literal["mae"] = "mae"
    label = "Mean absolute error"
    source = "Laplace 1774; Koenker & Bassett 1978"
    torch_class = "core.optim.loss_modules:MeanAbsoluteError"
    unit = "absolute error"


class Huber(RegressionLoss):
    """Half the squared error where it is small, and growing in a straight line from delta on: outliers pull with limits."""

    kind: Literal["huber"] = "huber"
    label = "Huber"
    source = "Huber 1964, Robust Estimation of a Location Parameter"
    torch_class = "core.optim.loss_modules:Huber"
    unit = "Huber error"
    delta: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """From this error on the loss grows in a straight line, in the unit that the model predicts in."""


AnyLoss = Annotated[
    CrossEntropy | Focal | MultiMargin | BinaryCrossEntropy | MeanSquaredError | MeanAbsoluteError | Huber,
    on_menu(),
]
"""Every loss, in the order in which the page offers them."""
