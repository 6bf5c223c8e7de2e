"""The optimizers on the menu. A row of data each: the torch class by name, its hyperparameters with bounds, its paper."""

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu

if TYPE_CHECKING:
    import torch

LearningRate = Annotated[float, Field(ge=1e-7, le=10, title="learning rate")]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Decay = Annotated[float, Field(ge=0, le=1)]
Epsilon = Annotated[float, Field(ge=1e-12, le=1)]


class OptimizerChoice(Choice):
    """An update rule. Its fields are the keyword arguments of the torch class, spelled as torch spells them."""

    torch_class: ClassVar[str]
    has_fused: ClassVar[bool] = False
    """Whether torch has a fused CPU kernel for it (one pass over memory, 2 to 5 times faster on small nets)."""
    needs_whole_split: ClassVar[bool] = False
    """Whether each step takes the gradient of the whole training split, whatever the batch size."""
    needs_closure: ClassVar[bool] = False
    """Whether a step evaluates the loss several times (L-BFGS)."""
    lr: LearningRate

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the torch class."""
        return self.model_dump(exclude={"kind"})

    def build(self, parameters: "Iterable[torch.nn.Parameter]", device_type: str = "cpu") -> "torch.optim.Optimizer":
        """The torch optimizer over `parameters`, fused where torch has a kernel for this device."""
        module, name = self.torch_class.split(":")
        cls = getattr(importlib.import_module(module), name)
        speed = {"fused": True} if self.has_fused and device_type in ("cpu", "cuda", "mps") else {}
        optimizer: torch.optim.Optimizer = cls(parameters, **self.arguments(), **speed)
        return optimizer


class SGD(OptimizerChoice):
    """Follows the gradient of each batch; momentum keeps a running direction, Nesterov looks one step ahead."""

    kind: Literal["sgd"] = "sgd"
    label = "SGD"
    source = "Robbins & Monro 1951; Nesterov 1983; Sutskever et al. 2013"
    torch_class = "torch.optim:SGD"
    has_fused = True
    lr: LearningRate = 0.1
    """Learning rate: how far one step goes."""
    momentum: Momentum = 0.0
    """Share of the last step that is kept."""
    nesterov: bool = False
    """Look ahead along the momentum; only with momentum above 0."""
    weight_decay: Decay = 0.0
    """L2 pull of the weights towards zero, added to the gradient."""

    def arguments(self) -> dict[str, Any]:
        """As torch wants them: Nesterov without momentum is plain SGD, which torch would refuse."""
        values = super().arguments()
        return values | {"nesterov": values["nesterov"] and values["momentum"] > 0}


class Adam(OptimizerChoice):
    """Divides a running mean of the gradient by a running root mean square of it, both corrected for their start at zero."""

    kind: Literal["adam"] = "adam"
    label = "Adam"
    source = "Kingma & Ba 2015, algorithm 1"
    torch_class = "torch.optim:Adam"
    has_fused = True
    lr: LearningRate = 0.001
    """Learning rate: about the size of one step of each weight."""
    beta1: Momentum = 0.9
    """Memory of the mean of the gradient."""
    beta2: Momentum = 0.999
    """Memory of the mean square of the gradient."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull of the weights towards zero, added to the gradient."""

    def arguments(self) -> dict[str, Any]:
        """As torch wants them, with the two betas as a pair."""
        values = super().arguments()
        return values | {"betas": (values.pop("beta1"), values.pop("beta2"))}


class AdamW(Adam):
    """Adam with weight decay taken from the weights themselves, not mixed into the gradient."""

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    label = "AdamW"
    source = "Loshchilov & Hutter 2019, algorithm 2"
    torch_class = "torch.optim:AdamW"
    weight_decay: Decay = 0.01
    """Share of each weight, times the learning rate, that is taken away each step."""


class RMSprop(OptimizerChoice):
    """Divides the gradient by a running root mean square of it."""

    kind: Literal["rmsprop"] = "rmsprop"
    label = "RMSprop"
    source = "Hinton 2012, Neural Networks for Machine Learning, lecture 6e"
    torch_class = "torch.optim:RMSprop"
    lr: LearningRate = 0.001
    """Learning rate: about the size of one step of each weight."""
    alpha: Momentum = 0.99
    """Memory of the mean square of the gradient."""
    momentum: Momentum = 0.0
    """Share of the last step that is kept."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull of the weights towards zero, added to the gradient."""


class Adagrad(OptimizerChoice):
    """Divides the gradient by the root of the sum of all its squares so far: steps only get shorter."""

    kind: Literal["adagrad"] = "adagrad"
    label = "Adagrad"
    source = "Duchi et al. 2011, JMLR 12"
    torch_class = "torch.optim:Adagrad"
    has_fused = True
    lr: LearningRate = 0.01
    """Learning rate: size of the first step of each weight."""
    eps: Epsilon = 1e-10
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull of the weights towards zero, added to the gradient."""


AnyOptimizer = Annotated[SGD | Adam | AdamW | RMSprop | Adagrad, on_menu()]
