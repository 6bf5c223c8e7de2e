"""What every layer answers to one example."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ActivationMaps:
    """Activations of all layers for one example.

    `maps[i]` float32 is the output of layer i without the batch axis: (C, H, W), (L, D) for a sequence of vectors, or (F,).
    `layer_names[i]` is its label, `input` the example as the model received it (float32, or int64 token numbers), `step` the
    training step of the weights. `logits` are the output of the stack, `probabilities` (K,) what it says of each class; for
    regression both `probabilities` and `class_names` are empty. `zero_share[i]` is the share of exact zeros in `maps[i]`, in
    [0, 1].
    """

    layer_names: tuple[str, ...]
    maps: tuple[np.ndarray, ...]
    zero_share: tuple[float, ...]
    input: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    label: int
    """The right class; -1 where nobody knows it (an own image), and for regression."""
    class_names: tuple[str, ...]
    step: int
    tokens: tuple[str, ...] = ()
    """Sequences: the token of each number in `input`, "" for padding."""
    text: str = ""
    """Sequences: the example as a person reads it."""
    pixels: np.ndarray | None = None
    """Images: the picture before any preparation, (H, W) or (H, W, 3) uint8."""
    notes: tuple[str, ...] = ()
    """What was done to an own picture to make it an example of the data, in sentences."""
    value: float | None = None
    """Regression: the predicted number, in the unit of the target."""
    truth: float | None = None
    """Regression: the right number."""
    target_name: str = ""
    """Regression: what the number is."""
