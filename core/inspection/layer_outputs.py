"""What one layer gives for many examples."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.inspection.hooks import captured_outputs

if TYPE_CHECKING:
    from torch import nn

BATCH = 128


def layer_outputs(
    model: "nn.Sequential", x: np.ndarray, layer: int, report: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """The outputs of a layer, one row per example, and those of the whole stack; in evaluation mode, on a copy of `model`.

    Args:
        x: (N, *input_shape), as the model receives them.
        layer: its place in the stack, from 0.
        report: gets the number of examples done, after each batch.

    Returns:
        (N, F) float32, maps and sequences flattened, and (N, K) float32.
    """
    import torch

    quiet = copy.deepcopy(model).eval()
    inner, outer = [], []
    with torch.inference_mode():
        for start in range(0, len(x), BATCH):
            batch = torch.from_numpy(x[start : start + BATCH])
            with captured_outputs([quiet[layer]]) as found:
                outer.append(quiet(batch).float().numpy())
            inner.append(found[-1].float().flatten(1).numpy())
            report(start + len(batch))
    return np.concatenate(inner), np.concatenate(outer)
