"""What an optimizer on the menu is: an update rule as a row of data, with its formula, its memory and its torch class."""

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from core.spec import Choice

if TYPE_CHECKING:
    import torch

LearningRate = Annotated[float, Field(ge=1e-7, le=10, title="learning rate", json_schema_extra={"scale": "log"})]
Memory = Annotated[float, Field(ge=0, lt=1)]
Decay = Annotated[float, Field(ge=0, le=1, json_schema_extra={"scale": "log"})]
Epsilon = Annotated[float, Field(ge=1e-12, le=1, json_schema_extra={"scale": "log"})]


class OptimizerChoice(Choice):
    """An update rule. Its fields are the keyword arguments of the torch class, spelled as torch spells them."""

    torch_class: ClassVar[str]
    formula: ClassVar[str]
    """The update as LaTeX, as torch computes it: g is the gradient, θ the weights, η the learning rate of the step."""
    state: ClassVar[tuple[str, ...]]
    """What it remembers of each parameter from step to step, with its name in the formula."""
    n_state: ClassVar[int]
    """Numbers that it keeps for each parameter with its default settings."""
    large_lr: ClassVar[float]
    """A learning rate above this is seldom meant."""
    has_fused: ClassVar[bool] = False
    """Whether torch has a fused CPU kernel for it (one pass over memory, 2 to 5 times faster on small nets)."""
    fused_devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda", "mps")
    """Where its fused kernel works, if it has one, in every torch from 2.11 on."""
    needs_whole_split: ClassVar[bool] = False
    """Whether each step takes the gradient of the whole training split, whatever the batch size."""
    needs_closure: ClassVar[bool] = False
    """Whether a step evaluates the loss several times (L-BFGS): `optimizer.step(closure)`."""
    uses_lr_once: ClassVar[bool] = False
    """Whether it looks at the learning rate in its first step alone, so that no schedule can change it (Rprop)."""
    lr: LearningRate

    @property
    def n_kept(self) -> int:
        """Numbers that it keeps for each parameter with these settings, at most."""
        return self.n_state

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the torch class."""
        return self.model_dump(exclude={"kind"})

    def build(self, parameters: "Iterable[torch.nn.Parameter]", device_type: str = "cpu") -> "torch.optim.Optimizer":
        """The torch optimizer over `parameters`, fused where torch has a kernel for this device."""
        module, name = self.torch_class.split(":")
        cls = getattr(importlib.import_module(module), name)
        speed = {"fused": True} if self.has_fused and device_type in self.fused_devices else {}
        optimizer: torch.optim.Optimizer = cls(parameters, **self.arguments(), **speed)
        return optimizer


class MomentsChoice(OptimizerChoice):
    """An update rule with two memories, which torch wants as a pair."""

    beta1: Memory = 0.9
    """Memory of the mean of the gradient."""
    beta2: Memory = 0.999
    """Memory of the mean square of the gradient."""

    def arguments(self) -> dict[str, Any]:
        """As torch wants them, with the two betas as a pair."""
        values = super().arguments()
        return values | {"betas": (values.pop("beta1"), values.pop("beta2"))}
