"""A small net of Linear layers as neurons: weights, and what each answers to every place of the plane."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class NeuronResponses:
    """C columns of neurons: the inputs, then one for every Linear layer.

    `weights[c]` float32 (n of column c + 1, n of column c) leads to column c + 1, `biases[c]` (n of column c + 1,) to the same.
    """

    labels: tuple[str, ...]
    """One per column: `Input`, `Linear`."""
    places: tuple[int, ...]
    """Index in the stack of the Linear of each column; -1 for the inputs."""
    after: tuple[str, ...]
    """One per column: the layers behind it, up to the next Linear, as `Tanh` or `BatchNorm1d · ReLU`; "" for none."""
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    responses: tuple[np.ndarray, ...]
    """Per column (n, side, side) float32: what neurons hand on (behind `after`), row 0 at x2 = -span; () without a plane."""
    span: float
    """Half-width of the plane."""
    step: int
    """Of the weights."""
