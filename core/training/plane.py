"""The decision surface of 2-D data: what a model makes of every place of the plane."""

import numpy as np
import torch
from torch import nn

from core.data.dataset import Splits
from core.data.menu import AnyDataset
from core.data.plane import SPAN, Plane
from core.data.prepare import model_points
from core.models.output import class_probabilities, predicted_numbers
from core.training.measures import CHUNK

SIDE = 60


def plane_inputs(data: AnyDataset, splits: Splits) -> np.ndarray | None:
    """The grid over the plane as the model receives it, (SIDE * SIDE, F) float32.

    None where there is no plane, or where one colour scale cannot show the answer: more than two classes.
    """
    if not isinstance(data, Plane) or (splits.profile.task == "classification" and splits.profile.n_classes != 2):
        return None
    return model_points(splits, data.preparation, data.features_of(plane_grid(SIDE, SPAN)))


def plane_grid(side: int, span: float) -> np.ndarray:
    """Points of a square grid over the plane, (side * side, 2) float32 as (x, y); rows from y = -span upwards."""
    axis = np.linspace(-span, span, side, dtype=np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], 1)


def class_one_share(model: nn.Module, inputs: torch.Tensor, chunk: int = CHUNK) -> bytes:
    """Probability of class 1 for each of the inputs, times 255, as bytes."""
    outputs = _outputs(model, inputs, chunk)
    return _as_bytes(class_probabilities(model, outputs)[:, 1])


def predicted_share(model: nn.Module, inputs: torch.Tensor, chunk: int, shift: float, scale: float) -> bytes:
    """Predicted numbers in the target's own unit, `output * scale + shift`, with -1 as byte 0 and 1 as byte 255."""
    values = predicted_numbers(_outputs(model, inputs, chunk)) * scale + shift
    return _as_bytes((values.clamp(-1, 1) + 1) / 2)


def _outputs(model: nn.Module, inputs: torch.Tensor, chunk: int) -> torch.Tensor:
    """(N, K), in evaluation mode, some inputs at a time."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        outputs = torch.cat([model(part) for part in torch.split(inputs, chunk)])
    model.train(was_training)
    return outputs


def _as_bytes(share: torch.Tensor) -> bytes:
    values: np.ndarray = share.nan_to_num(0.5).mul(255).round().byte().cpu().numpy()
    return values.tobytes()
