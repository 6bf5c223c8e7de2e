"""What every layer of a stack answers to one example."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ShapeError
from core.inspection.hooks import captured_outputs
from core.models.output import class_probabilities
from core.results.activations import ActivationMaps
from core.types import shape_text

if TYPE_CHECKING:
    import torch
    from torch import nn


def activation_maps(
    module: "nn.Sequential",
    x: "torch.Tensor",
    label: int,
    class_names: tuple[str, ...],
    step: int,
    kinds: Sequence[str] = (),
) -> ActivationMaps:
    """The outputs of all layers of `module` for one example `x` (1, *input_shape), in evaluation mode.

    Works on a copy: `module` keeps its mode, its hooks and its batch statistics. A container is one layer: what it gives.

    Args:
        label: the right class, -1 where it is not known.
        class_names: empty for regression.
        kinds: what to call the layers; without them the names of their torch classes.

    Raises:
        ShapeError: `x` is not exactly one example.
    """
    import torch

    if len(x) != 1:
        raise ShapeError(
            f"Activation maps are of one example, but {len(x)} came ({shape_text(tuple(x.shape))}).", hint="Pass x[:1]."
        )
    quiet = copy.deepcopy(module).eval()
    layers = list(quiet)
    with torch.inference_mode(), captured_outputs(layers) as outputs:
        logits = quiet(x)[0]
        probabilities = class_probabilities(quiet, logits[None].double())[0].float().numpy()
    maps = tuple(output[0].float().numpy() for output in outputs)
    names = kinds or [type(layer).__name__ for layer in layers]
    return ActivationMaps(
        layer_names=tuple(f"{i} {name}" for i, name in enumerate(names, start=1)),
        maps=maps,
        zero_share=tuple(float(np.mean(values == 0)) for values in maps),
        input=(x[0].float() if x.is_floating_point() else x[0]).numpy(),
        logits=logits.float().numpy(),
        probabilities=probabilities if class_names else probabilities[:0],
        label=label,
        class_names=class_names,
        step=step,
    )
