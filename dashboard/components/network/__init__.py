"""The whole net as a drawing: what flows through it, with shapes; small nets also as neurons and their connections."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from core.models.layer import LayerChoice
from core.models.layers.linear import Linear
from core.models.model import ModelSpec
from core.models.stack import Inference, LayerInfo
from core.types import Shape, shape_text
from dashboard.components.shared import declare
from dashboard.text import _

_component = declare("network")

MAX_NEURONS = 24
"""Neurons in one column that can still be told apart."""
MAX_LINES = 1500


def network(
    model: ModelSpec, inference: Inference, *, key: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()
) -> None:
    """Show the net. It follows the layer that is selected in the builder, and selects there what is clicked here.

    Args:
        inputs: names of the inputs, where each has one.
        outputs: names of the classes, or of the target.
    """
    data = {
        "layers": _stack_data(model.layers, inference, ()),
        "input": _glyph(inference.input_shape),
        "columns": columns(model, inference, inputs, outputs),
        "texts": _texts(),
    }
    _component(key=key, data=data)


def columns(
    model: ModelSpec, inference: Inference, inputs: Sequence[str] = (), outputs: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """A small MLP as columns of neurons: the input, and one for every Linear layer; empty for any other net."""
    if len(inference.input_shape) != 1 or inference.out_shape is None:
        return []
    found = [{"path": [], "n": inference.input_shape[0], "label": _("Input"), "names": list(inputs), "after": ""}]
    for index, (layer, info) in enumerate(zip(model.layers, inference.layers, strict=True)):
        if info.out_shape is None or len(info.out_shape) != 1 or layer.inner():
            return []
        if isinstance(layer, Linear):
            found.append({"path": [index], "n": info.out_shape[0], "label": layer.kind, "names": [], "after": ""})
        else:
            after = str(found[-1]["after"])
            found[-1]["after"] = f"{after} · {layer.kind}" if after else layer.kind
    sizes = [int(column["n"]) for column in found]
    n_lines = sum(a * b for a, b in pairwise(sizes))
    if len(found) < 2 or max(sizes) > MAX_NEURONS or n_lines > MAX_LINES:
        return []
    if len(outputs) == sizes[-1]:
        found[-1]["names"] = list(outputs)
    return found


def _stack_data(layers: Sequence[LayerChoice], inference: Inference, at: tuple[int, ...]) -> list[dict[str, Any]]:
    return [
        _layer_data(layer, info, (*at, index)) for index, (layer, info) in enumerate(zip(layers, inference.layers, strict=True))
    ]


def _layer_data(layer: LayerChoice, info: LayerInfo, path: tuple[int, ...]) -> dict[str, Any]:
    return {
        "path": list(path),
        "kind": layer.kind,
        "family": type(layer).__module__.rpartition(".")[2],
        "glyph": _glyph(info.out_shape),
        "is_wrong": info.error is not None,
        "is_view": info.out_shape == info.in_shape and not info.n_parameters,
        "has_weights": info.n_parameters > 0,
        "skip": layer.kind == "Residual",
        "branches": [
            _stack_data(branch, inner, (*path, number))
            for number, (branch, inner) in enumerate(zip(layer.inner(), info.branches, strict=True))
        ],
    }


def _glyph(shape: Shape | None) -> dict[str, Any]:
    """What a shape looks like: how wide (channels, or features of a sequence), how high, and in words."""
    if shape is None:
        return {"form": "unknown", "deep": 1.0, "high": 1.0, "text": "?"}
    form = {1: "vector", 2: "sequence", 3: "maps"}.get(len(shape), "vector")
    deep = {"vector": 1, "sequence": shape[-1], "maps": shape[0]}[form]
    high = {"vector": shape[0], "sequence": shape[0], "maps": shape[1] if len(shape) == 3 else 1}[form]
    return {"form": form, "deep": math.log2(1 + deep), "high": math.log2(1 + high), "text": shape_text(shape)}


def _texts() -> dict[str, str]:
    return {
        "alt": _("Drawing of the net, from input to output. Arrow keys go from layer to layer."),
        "layer": _("Layer {n} {kind}, gives {shape}"),
        "wrong": _("Layer {n} {kind}, cannot take what it receives"),
        "input": _("Input"),
        "neuron": _("{label}, neuron {i} of {n}"),
        "blocks": _("Layers and shapes"),
        "neurons": _("Neurons and weights"),
        "view": _("Draw"),
        "svg": _("Download SVG"),
    }
