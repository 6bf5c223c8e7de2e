"""Distillation: a smaller stack learns from the answers of the larger one."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.compression.choice import Compressed, CompressionChoice, Material, Plan, stored_state
from core.compression.further import train_further
from core.compression.weighted import PRUNABLE
from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.models.layer import LayerChoice
from core.models.model import ModelSpec, build, infer, stack_error
from core.models.output import class_log_probabilities, output_form
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

WIDTHS = ("out_features", "out_channels", "hidden_size", "embedding_dim", "dim_feedforward")
"""Fields that say how wide a layer is."""


class Distillation(CompressionChoice):
    """A smaller stack is trained from fresh weights to answer as the larger one does, softened, and as the labels say."""

    kind: Literal["distillation"] = "distillation"
    label: ClassVar[str] = "Distillation"
    source: ClassVar[str] = 'Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2'

    epochs: int = Field(10, ge=1, le=200)
    """Passes over the training examples."""
    width: Annotated[float, Field(ge=0.05, le=1)] = 0.5
    """Share of units and channels of every layer that the smaller stack has, where it is not another stack altogether."""
    temperature: Annotated[float, Field(ge=1, le=20)] = 4.0
    """Logits are divided by it before both softmaxes: higher, and the less likely classes say more."""
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Weight of the labels; the rest is the larger model's say."""

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        smaller = narrower(model, self.width)
        if error := stack_error(smaller, infer(smaller, shape)):
            raise NotApplicable(
                f"This stack cannot simply be made narrower: {error.message}",
                hint="Choose a stack of its own for the smaller model.",
            )
        return Plan(smaller, tuple((index,) for index in range(len(smaller.layers))))

    def reason_against(self, profile: DataProfile, model: ModelSpec) -> str | None:
        try:
            self.plan(model, profile.input_shape)
        except NotApplicable as error:
            return str(error)
        return None

    def compressed(self, material: Material) -> Compressed:
        return self.distilled(material, self.plan(material.model, material.shape).model)

    def distilled(self, material: Material, student: ModelSpec) -> Compressed:
        """The student after its training."""
        import torch

        module = build(student, material.shape, material.seed)
        teacher, plain = material.module, material.loss.build()
        is_regression = material.splits.profile.task == "regression"

        def loss_of(x: "torch.Tensor", outputs: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
            with torch.no_grad():
                answers = teacher(x)
            if is_regression:
                soft = plain(outputs, answers[:, 0])
            else:
                soft = soft_loss(logits(module, outputs), logits(teacher, answers), self.temperature)
            total: torch.Tensor = self.alpha * plain(outputs, y) + (1 - self.alpha) * soft
            return total

        losses = train_further(module, material, self.epochs, loss_of)
        return Compressed(module, module, stored_state(module), losses)


def soft_loss(student: "torch.Tensor", teacher: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """T² · KL(softmax(teacher / T) || softmax(student / T)), the mean over examples; logits (N, K).

    The factor T² keeps the size of its gradient whatever the temperature. Hinton et al. write the cross-entropy, which differs
    by the teacher's own entropy: a constant.
    """
    from torch.nn.functional import kl_div, log_softmax

    given, wanted = (log_softmax(one / temperature, 1) for one in (student, teacher))
    divergence: torch.Tensor = kl_div(given, wanted, reduction="batchmean", log_target=True)
    return divergence * temperature**2


def logits(module: "nn.Module", outputs: "torch.Tensor") -> "torch.Tensor":
    """Logits (N, K) from whatever the last layer gives; of one output for two classes (N, 2)."""
    if outputs.shape[1] > 1 and output_form(module) == "logit":
        return outputs
    return class_log_probabilities(module, outputs)


def narrower(model: ModelSpec, width: float) -> ModelSpec:
    """The stack with a share of the units of every layer, all but the last one with weights, which gives the outputs."""
    last = max((index for index, layer in enumerate(model.layers) if layer.kind in PRUNABLE), default=-1)
    layers = tuple(layer if index == last else _narrow(layer, width) for index, layer in enumerate(model.layers))
    return model.but(layers=layers, weights="")


def _narrow(layer: LayerChoice, width: float) -> Any:
    changes: dict[str, Any] = {}
    for name in WIDTHS:
        if name in type(layer).model_fields:
            changes[name] = _scaled(getattr(layer, name), width, _divisor(layer))
    if layer.kind == "Residual":
        changes["layers"] = tuple(_narrow(inner, width) for inner in layer.inner()[0])
    if layer.kind == "Parallel":
        changes["branches"] = tuple(tuple(_narrow(inner, width) for inner in branch) for branch in layer.inner())
    return layer.but(**changes) if changes else layer


def _divisor(layer: LayerChoice) -> int:
    """What the width must be a multiple of."""
    return int(getattr(layer, "groups", 1))


def _scaled(n: int, width: float, divisor: int) -> int:
    return max(divisor, round(n * width / divisor) * divisor)
