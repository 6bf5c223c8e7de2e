"""The neurons of a small net of Linear layers, and what each answers to every place of the plane."""

import copy
from typing import TYPE_CHECKING

import numpy as np

from core.inspection.hooks import captured_outputs
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, infer
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

MAX_UNITS = 16
"""Neurons of one Linear that can be told apart as squares."""
MAX_INPUTS = 32
MAX_LINEARS = 6


def reason_against(model: ModelSpec, input_shape: Shape) -> str:
    """Why this net is not drawn as neurons, as a sentence; "" where it is. Torch-free."""
    inference = infer(model, input_shape)
    linears = [info for layer, info in zip(model.layers, inference.layers, strict=True) if isinstance(layer, Linear)]
    widths = [info.out_shape[0] for info in linears if info.out_shape]
    if len(input_shape) != 1:
        return "Neurons and lines are drawn for points and tables alone: an image or a text has too many inputs."
    if any(layer.inner() or len(info.out_shape or ()) != 1 for layer, info in zip(model.layers, inference.layers, strict=True)):
        return "Neurons and lines are drawn for nets of Linear layers in one row."
    if not widths:
        return "There is no Linear layer in this net."
    if len(widths) > MAX_LINEARS:
        return f"Neurons and lines are drawn for up to {MAX_LINEARS} Linear layers; this net has {len(widths)}."
    if max(widths) > MAX_UNITS:
        return f"Neurons and lines are drawn for layers of up to {MAX_UNITS} neurons; this net has one of {max(widths):,}."
    if input_shape[0] > MAX_INPUTS:
        return f"Neurons and lines are drawn for up to {MAX_INPUTS} inputs; these data have {input_shape[0]:,}."
    return ""


def columns(model: ModelSpec) -> list[list[int]]:
    """Indices of the layers of each column: what comes before the first Linear, then every Linear with what follows it."""
    found: list[list[int]] = [[]]
    for index, layer in enumerate(model.layers):
        if isinstance(layer, Linear):
            found.append([])
        found[-1].append(index)
    return found


def responses(model: "nn.Sequential", inputs: "torch.Tensor", spec: ModelSpec, side: int) -> tuple[np.ndarray, ...]:
    """What the neurons of each column hand on, (n, side, side) float32, for the inputs (side², F) of a grid; by a copy."""
    import torch

    quiet = copy.deepcopy(model).eval()
    with torch.inference_mode(), captured_outputs(list(quiet)) as outputs:
        quiet(inputs)
    last = [outputs[part[-1]] if part else inputs for part in columns(spec)]
    return tuple(one.float().numpy().T.reshape(-1, side, side).copy() for one in last)  # (side², n) -> (n, side, side)
