"""The decision surface of 2-D data: what a model makes of every place of the plane."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from core.data.dataset import Splits
from core.data.menu import AnyDataset
from core.data.plane import SPAN, Plane
from core.data.prepare import model_points
from core.models.output import class_probabilities, predicted_numbers
from core.training.many import ManyNetworks
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


def plane_outputs(
    models: Sequence[nn.Module], inputs: torch.Tensor, chunk: int = CHUNK, *, together: ManyNetworks | None = None
) -> Iterator[torch.Tensor]:
    """The outputs (N, K) of each model in evaluation mode, some inputs at a time; all models at once with `together`."""
    if together is not None:
        yield from torch.cat([together.outputs(part) for part in torch.split(inputs, chunk)], 1)
        return
    for model in models:
        was_training = model.training
        model.eval()
        with torch.no_grad():
            outputs = torch.cat([model(part) for part in torch.split(inputs, chunk)])
        model.train(was_training)
        yield outputs


def share(model: nn.Module, outputs: torch.Tensor, unit: tuple[float, float] | None = None) -> bytes:
    """Outputs (N, K) as bytes: the probability of class 1 times 255.

    With `unit`, the (shift, scale) of a target that is a number: `output * scale + shift`, -1 as byte 0 and 1 as byte 255.
    """
    if unit is None:
        return _as_bytes(class_probabilities(model, outputs)[:, 1])
    values = predicted_numbers(outputs) * unit[1] + unit[0]
    return _as_bytes((values.clamp(-1, 1) + 1) / 2)


def _as_bytes(share: torch.Tensor) -> bytes:
    values: np.ndarray = share.nan_to_num(0.5).mul(255).round().byte().cpu().numpy()
    return values.tobytes()
