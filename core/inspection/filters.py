"""The weights of a layer laid out as what they look at: filters over maps, rows over what was flattened, or a table."""

import math
from typing import TYPE_CHECKING

import numpy as np

from core.models.layer import LayerChoice
from core.models.layers.convolution import ConvTranspose2d
from core.models.model import ModelSpec, all_layers, infer, layer_at, layer_name
from core.models.stack import Inference, Path
from core.results.filters import FilterForm, Filters
from core.types import Shape

if TYPE_CHECKING:
    import torch

MAX_NUMBERS = 1_000_000
"""Weights of one layer that are sent to the page, in whole outputs (4 MB)."""
MIXING = ("Softmax", "LogSoftmax", "LayerNorm", "GroupNorm")
"""Layers of which an output depends on several inputs though they keep the shape."""
WITHOUT_PICTURES = ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "PReLU")
"""Layers whose weights are one number per channel: nothing to see."""


def layers_with_weights(model: ModelSpec, input_shape: Shape) -> tuple[tuple[Path, str], ...]:
    """Path and name of every layer that has matrices or kernels of its own, in order of the stack. Torch-free."""
    inference = infer(model, input_shape)
    found = []
    for path, layer in all_layers(model.layers):
        info = inference.at(path)
        inside = sum(branch.n_parameters + branch.n_frozen for branch in info.branches)
        if layer.kind not in WITHOUT_PICTURES and info.n_parameters + info.n_frozen > inside:
            found.append((path, f"Layer {layer_name(model.layers, path)}"))
    return tuple(found)


def filters(weight: "torch.Tensor", name: str, step: int, model: ModelSpec, path: Path, input_shape: Shape) -> Filters:
    """A weight of the layer at `path` as pictures; outputs beyond MAX_NUMBERS numbers are left out."""
    values, form, is_of_input = _laid_out(weight.detach().cpu().float().numpy(), model, path, input_shape)
    n_kept = max(1, min(len(values), MAX_NUMBERS // max(1, math.prod(values.shape[1:]))))
    return Filters(name, form, values[:n_kept].copy(), len(values), tuple(weight.shape), step, is_of_input)


def _laid_out(values: np.ndarray, model: ModelSpec, path: Path, input_shape: Shape) -> tuple[np.ndarray, FilterForm, bool]:
    """`Filters.weights`, how they are read, and whether their inputs are the model's own."""
    layer, inference = layer_at(model.layers, path), infer(model, input_shape)
    looks_from = path
    if values.ndim == 2 and layer.kind == "Linear" and (maps := flattened_shape(model, inference, path)):
        values = values.reshape(len(values), *maps)
        looks_from = _flatten_before(model, inference, path) or path
    elif values.ndim == 3:
        values = values[:, None]
    elif isinstance(layer, ConvTranspose2d) and values.ndim == 4:
        values = np.concatenate([part.swapaxes(0, 1) for part in np.split(values, layer.groups)])
    is_of_input = _is_input(model, inference, looks_from)
    if values.ndim != 4:
        return values.reshape(len(values), -1), "matrix", is_of_input
    return values, "colour" if is_of_input and values.shape[1] == 3 else "tiles", is_of_input


def flattened_shape(model: ModelSpec, inference: Inference, path: Path) -> Shape | None:
    """The maps (C, h, w) that were laid out as the inputs of the layer at `path`; None where its inputs are no maps."""
    place = _flatten_before(model, inference, path)
    shape = inference.at(place).in_shape if place is not None else None
    return shape if shape is not None and len(shape) == 3 else None


def _flatten_before(model: ModelSpec, inference: Inference, path: Path) -> Path | None:
    """The path of the Flatten in front of a layer, where what lies between keeps every number in its place."""
    *branch, index = path
    while index > 0:
        index -= 1
        layer = layer_at(model.layers, (*branch, index))
        if layer.kind == "Flatten":
            return (*branch, index)
        if not _keeps_places(layer, inference, (*branch, index)):
            return None
    return None


def _is_input(model: ModelSpec, inference: Inference, path: Path) -> bool:
    """Whether the layer at `path` gets the model's input as it is."""
    before = [(index,) for index in range(path[0])]
    return len(path) == 1 and all(_keeps_places(layer_at(model.layers, one), inference, one) for one in before)


def _keeps_places(layer: LayerChoice, inference: Inference, path: Path) -> bool:
    """Whether output number i is a function of input number i alone, without weights of its own."""
    info = inference.at(path)
    is_pointwise = type(layer).__module__.rpartition(".")[2] in ("activation", "regularization")
    return is_pointwise and info.in_shape == info.out_shape and layer.kind not in MIXING
