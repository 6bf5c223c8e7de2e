"""What every layer answers to one example."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ActivationMaps:
    """Activations of all layers for one example.

    `maps[i]` float32 is the output of layer i without the batch axis: (C, H, W) or (F,). `layer_names[i]` is its label,
    `input` the example as the model received it, `step` the training step of the weights. `probabilities` (K,) are the
    softmax of the output, or the output itself where the stack ends with a Softmax. `zero_share[i]` is the share of exact
    zeros in `maps[i]`, in [0, 1].
    """

    layer_names: tuple[str, ...]
    maps: tuple[np.ndarray, ...]
    zero_share: tuple[float, ...]
    input: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    label: int
    class_names: tuple[str, ...]
    step: int
