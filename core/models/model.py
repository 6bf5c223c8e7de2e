"""A stack of layers: what it says, what shapes run through it, and how it becomes a torch module."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import ShapeError
from core.models.init import AnyBiasInit, AnyInit, TorchDefault
from core.models.initialise import initialise
from core.models.layer import LayerChoice
from core.models.layers.backbone import Backbone
from core.models.layers.menu import AnyLayer
from core.models.stack import Inference, Path, infer_stack
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
    init: AnyInit = TorchDefault()
    """How weights start, where a layer does not say otherwise."""
    bias_init: AnyBiasInit = TorchDefault()
    """How biases start, where a layer does not say otherwise."""
    weights: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Weights to start from: the SHA-256 digest of an imported file; empty for none."""


def infer(model: ModelSpec, input_shape: Shape) -> Inference:
    """Shapes and costs layer by layer, without torch. Never raises a ShapeError: it is in the layer that it stops at."""
    return infer_stack(model.layers, input_shape)


def layer_at(layers: Sequence[LayerChoice], path: Path) -> LayerChoice:
    """The layer at `path`."""
    layer = layers[path[0]]
    return layer if len(path) == 1 else layer_at(layer.inner()[path[1]], path[2:])


def all_layers(layers: Sequence[LayerChoice], at: Path = ()) -> Iterator[tuple[Path, LayerChoice]]:
    """Every layer with its path, containers before what they hold."""
    for index, layer in enumerate(layers):
        yield (*at, index), layer
        for branch, inner in enumerate(layer.inner()):
            yield from all_layers(inner, (*at, index, branch))


def layer_number(layers: Sequence[LayerChoice], path: Path) -> str:
    """A path as a person reads it, numbered from 1: `4`, in a skip connection `4.2`, in a second branch `4b.2`."""
    first, rest = str(path[0] + 1), path[1:]
    if not rest:
        return first
    branches = layers[path[0]].inner()
    letter = "abcdefgh"[rest[0]] if len(branches) > 1 else ""
    return f"{first}{letter}.{layer_number(branches[rest[0]], rest[1:])}"


def layer_name(layers: Sequence[LayerChoice], path: Path) -> str:
    """A layer by its number and kind: `3 Conv2d`, or inside a container `4.2 ReLU`."""
    return f"{layer_number(layers, path)} {layer_at(layers, path).kind}"


def backbone_of(model: ModelSpec) -> Backbone | None:
    """The first Backbone layer of the outermost stack; None if there is none."""
    return next((layer for layer in model.layers if isinstance(layer, Backbone)), None)


def with_backbone_weights(model: ModelSpec, digest: str) -> ModelSpec:
    """The same model, its Backbone layers starting from the imported file of this digest."""
    return model.but(
        layers=tuple(layer.but(weights=digest) if isinstance(layer, Backbone) else layer for layer in model.layers)
    )


def stack_error(model: ModelSpec, inference: Inference) -> ShapeError | None:
    """The shape error in this stack, told with both layers, numbered from 1; None if there is none.

    As in "Layer 4 Linear needs a flat vector but receives 8 × 4 × 4 from layer 3 MaxPool2d."
    """
    path = inference.error_path
    error = inference.at(path).error if path is not None else None
    if path is None or error is None:
        return None
    message = f"Layer {layer_number(model.layers, path)} {error.message}"
    if "needs" in error.params:  # else a setting that fits no input at all: nobody sent a wrong shape
        message = f"{message.removesuffix('.')} from {_sender(model, path)}."
    return ShapeError(message, hint=error.hint, path=path, **error.params)


def _sender(model: ModelSpec, path: Path) -> str:
    """Who gave the layer at `path` its input."""
    while path and path[-1] == 0:  # the first of its branch gets what the container gets
        path = path[:-2]
    if not path:
        return "the input"
    before = (*path[:-1], path[-1] - 1)
    return f"layer {layer_name(model.layers, before)}"


def build(model: ModelSpec, input_shape: Shape, seed: int, repeat: int = 0) -> "nn.Sequential":
    """The stack as a torch module on the CPU, its children named "0", "1", ... in order.

    Weights start as the model's and the layers' initialisations say, drawn from the stream "init" of `seed` and `repeat`: equal
    arguments give equal weights, and torch's global random state is left as it was. Weights from a file come last.

    Raises:
        ShapeError: a layer cannot take what it receives; the message names both layers and both shapes.
        MissingData: a file of weights is not there.
        SpecError: the weights of a file do not fit.
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
        initialise(model.layers, modules, model.init, model.bias_init)
    stack = nn.Sequential(*modules)
    if model.weights:
        from core.models.weights import fill

        fill(stack, model.weights)
    return stack
