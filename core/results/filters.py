"""The weights of one layer, as pictures."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

FilterForm = Literal["colour", "tiles", "matrix"]
"""How weights are read: a filter over three colours, a tile per filter and input map, or a table of outputs by inputs."""


@dataclass(frozen=True, slots=True)
class Filters:
    """One weight tensor of one layer. `weights` float32 is (O, I, h, w) for "colour" and "tiles", (O, I) for "matrix".

    O are the outputs of the layer (filters, neurons). A convolution in one dimension has (O, 1, I, k): rows are its input
    features, columns the places of its kernel. A Linear behind Flatten has what was flattened as (I, h, w). A transposed
    convolution has its outputs first, too.
    """

    name: str
    """As a screen names it: `Layer 1 Conv2d: weight`."""
    form: FilterForm
    weights: np.ndarray
    n_outputs: int
    """Of the layer; larger than O where it has too many numbers to keep."""
    shape: tuple[int, ...]
    """Of the tensor as torch has it."""
    step: int
    is_of_input: bool
    """The inputs I are the channels of the image, or the features of a table, themselves."""
    tensors: tuple[str, ...] = ()
    """The names of all matrices and kernels of the layer; this is one of them."""
    input_names: tuple[str, ...] = ()
    """Of the inputs I, where they have some."""
