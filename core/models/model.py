"""A stack of layers: what it says, what shapes run through it, and how it becomes a torch module."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import ShapeError
from core.models.cost import multiply_adds
from core.models.layers.menu import AnyLayer
from core.seeds import stream_seed
from core.spec import Spec
from core.types import Shape

if TYPE_CHECKING:
    from torch import nn

MAX_LAYERS = 64


class ModelSpec(Spec):
    """A stack of layers, from the input to the logits. An empty stack can be said, but the linter refuses it."""

    layers: tuple[AnyLayer, ...] = Field((), max_length=MAX_LAYERS)
    """The layers in the order in which an example passes them."""


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What is known of one layer in its stack. Shapes exclude the batch axis.

    `error` is set where this layer cannot take `in_shape`; `is_blocked` where an earlier layer could not, so that
    nothing can be known here. In both cases `out_shape` is None and the numbers are 0.
    """

    in_shape: Shape | None
    out_shape: Shape | None
    n_parameters: int
    multiply_adds: int
    error: ShapeError | None
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Inference:
    """Shapes, parameters and multiply-adds (one example, forward) of a stack; `out_shape` is None after a shape error."""

    input_shape: Shape
    layers: tuple[LayerInfo, ...]
    n_parameters: int
    multiply_adds: int
    out_shape: Shape | None

    @property
    def error_index(self) -> int | None:
        """Index of the layer that cannot take its input; None if all can."""
        return next((index for index, info in enumerate(self.layers) if info.error is not None), None)


def infer(model: ModelSpec, input_shape: Shape) -> Inference:
    """Shapes and costs layer by layer, without torch. Never raises a ShapeError: it is in the layer that it stops at."""
    infos: list[LayerInfo] = []
    shape: Shape | None = input_shape
    for layer in model.layers:
        info = _layer_info(layer, shape)
        infos.append(info)
        shape = info.out_shape
    return Inference(
        input_shape=input_shape,
        layers=tuple(infos),
        n_parameters=sum(info.n_parameters for info in infos),
        multiply_adds=sum(info.multiply_adds for info in infos),
        out_shape=shape,
    )


def _layer_info(layer: AnyLayer, shape: Shape | None) -> LayerInfo:
    if shape is None:
        return LayerInfo(None, None, 0, 0, error=None, is_blocked=True)
    try:
        out = layer.out_shape(shape)
    except ShapeError as error:
        return LayerInfo(shape, None, 0, 0, error=error, is_blocked=False)
    return LayerInfo(shape, out, layer.n_parameters(shape), multiply_adds(layer, shape, out), error=None, is_blocked=False)


def stack_error(model: ModelSpec, inference: Inference) -> ShapeError | None:
    """The shape error in this stack, told with both layers, numbered from 1; None if there is none.

    As in "Layer 4 Linear needs a flat vector but receives 8 × 4 × 4 from layer 3 MaxPool2d."
    """
    index = inference.error_index
    error = inference.layers[index].error if index is not None else None
    if index is None or error is None:
        return None
    message = f"Layer {index + 1} {error.message}"
    if "needs" in error.params:  # else a setting that fits no input at all: nobody sent a wrong shape
        sender = f"layer {index} {model.layers[index - 1].kind}" if index else "the input"
        message = f"{message.removesuffix('.')} from {sender}."
    return ShapeError(message, hint=error.hint, index=index, **error.params)


def build(model: ModelSpec, input_shape: Shape, seed: int, repeat: int = 0) -> "nn.Sequential":
    """The stack as a torch module on the CPU, its children named "0", "1", ... in order.

    Weights are torch's defaults, drawn from the stream "init" of `seed` and `repeat`: equal arguments give equal weights,
    and torch's global random state is left as it was.

    Raises:
        ShapeError: a layer cannot take what it receives; the message names both layers and both shapes.
    """
    import torch
    from torch import nn

    inference = infer(model, input_shape)
    error = stack_error(model, inference)
    if error is not None:
        raise error
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_seed(seed, "init", repeat))
        modules = [
            layer.build(info.in_shape)
            for layer, info in zip(model.layers, inference.layers, strict=True)
            if info.in_shape is not None  # always so without an error; tells the type checker
        ]
    return nn.Sequential(*modules)
