"""What a compression is: a Choice that says beforehand which layers it treats, and makes a smaller model of a trained one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.data.dataset import DataProfile, Splits
from core.models.model import ModelSpec
from core.models.stack import Path
from core.optim.losses import LossChoice
from core.optim.optimizer import OptimizerChoice
from core.spec import Choice
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

Progress = Callable[[int, int], None]
"""Called with (work done, total); it may raise to cancel, and nothing may swallow that."""

Sparsity = Annotated[float, Field(ge=0, le=0.99)]
Epochs = Annotated[int, Field(ge=0, le=200)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a compression will do to a stack, known without torch and before anything runs."""

    model: ModelSpec
    """The stack of the smaller model."""
    treated: tuple[Path, ...]
    """Layers that become smaller."""
    left: tuple[tuple[Path, str], ...] = ()
    """Layers with weights that are left alone, each with the reason in words."""
    removed: tuple[tuple[int, int, int], ...] = ()
    """(layer, units or channels that it keeps, those that it had), where they are really taken out."""


@dataclass(frozen=True, slots=True)
class Material:
    """A trained model and what a compression may need besides. The module is a copy in evaluation mode, to be changed."""

    model: ModelSpec
    module: "nn.Sequential"
    splits: Splits
    loss: LossChoice
    optimizer: OptimizerChoice
    batch_size: int
    seed: int
    progress: Progress
    frozen: tuple[int, ...] = ()
    """Layers whose weights further training leaves as they are."""

    @property
    def shape(self) -> Shape:
        return self.splits.profile.input_shape


@dataclass(frozen=True, slots=True)
class Compressed:
    """A smaller model.

    `module` is what runs, `shown` the float32 model with exactly its weights, which all other screens look at (the same one
    where no number format changes). `stored` are the tensors of its file. `losses` are the mean training losses by epoch.
    """

    module: "nn.Sequential"
    shown: "nn.Sequential"
    stored: "dict[str, torch.Tensor]"
    losses: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


class CompressionChoice(Choice):
    """One way to make a model smaller."""

    @property
    def n_epochs(self) -> int:
        """Passes over the training examples."""
        return int(getattr(self, "epochs", 0))

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        """What will be done to this stack for inputs of `shape`. Torch-free.

        Raises:
            NotApplicable: no such stack can be made; the message says why.
        """
        raise TypeError(f"{type(self).__name__} must say what it does")

    def reason_against(self, profile: DataProfile, model: ModelSpec) -> str | None:
        """Why this does not apply to such a model, in words; None when it does. Torch-free."""
        return None

    def compressed(self, material: Material) -> Compressed:
        """The smaller model."""
        raise TypeError(f"{type(self).__name__} must compress")


def stored_state(module: "nn.Module") -> "dict[str, Any]":
    """The tensors of a module's file, each with memory of its own."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in module.state_dict().items()}
